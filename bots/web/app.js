// Starts the page: photos come in by drop, paste and choice; the gallery fills from the server.

import { call, Watcher } from "/static/api.js";
import { Card } from "/static/card.js";
import { startPrivacy } from "/static/privacy.js";
import { text } from "/static/texts.js";

const AT_ONCE = 2; // uploads
const PAGE = 24; // captions the server lists in one answer

const byId = (id) => document.getElementById(id);
let cards = []; // as they stand on the page
let oldest = null; // id of the last caption that was listed
let most = Infinity; // bytes of a photo

// ---- what cards share ---------------------------------------------------------------------------------------------

const page = {
  watcher: new Watcher((caption) => cards.find((card) => card.holds(caption.id))?.add(caption)),
  inTurn: inTurn(AT_ONCE),

  // Read out by screen readers; what is said twice is read out twice.
  say(sentence) {
    byId("live").textContent = byId("live").textContent === sentence ? `${sentence}\u00a0` : sentence;
  },

  confirm(title, what, yes) {
    const dialog = byId("sure");
    byId("sure-title").textContent = title;
    byId("sure-text").textContent = what;
    byId("sure-yes").textContent = yes;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  },

  removed(card) {
    const at = cards.indexOf(card);
    cards = cards.filter((other) => other !== card);
    card.element.remove();
    if (card.preview) URL.revokeObjectURL(card.preview);
    for (const { id } of card.sentences) page.watcher.drop(id);
    page.say(text("removed"));
    const next = cards[at] ?? cards[at - 1];
    (next?.find(".actions .remove") ?? byId("files")).focus();
    page.changed();
  },

  changed() {
    byId("empty").hidden = cards.length > 0;
    byId("captions").hidden = cards.length === 0;
    byId("tip").hidden = !cards.some((card) => card.caption?.attention);
    document.body.classList.toggle("filled", cards.length > 0);
  },
};

function place(card, where) {
  if (where === "top") cards.unshift(card);
  else cards.push(card);
  byId("gallery")[where === "top" ? "prepend" : "append"](card.element);
  page.changed();
}

// Runs what it is given, so many at a time, in the order it came.
function inTurn(atOnce) {
  const waiting = [];
  let running = 0;
  async function next() {
    if (running >= atOnce || !waiting.length) return;
    running++;
    await waiting.shift()();
    running--;
    next();
  }
  return (work) => {
    waiting.push(work);
    next();
  };
}

// ---- photos come in -----------------------------------------------------------------------------------------------

function take(files) {
  const photos = [...files].filter((file) => file.type.startsWith("image/") || /\.(hei[cf]|avif)$/i.test(file.name));
  const others = files.length - photos.length;
  trouble(others ? text("no_pictures", { count: others }) : "");
  const added = photos.map((file) => new Card(page, file.name));
  [...added].reverse().forEach((card) => place(card, "top")); // they stand in the order in which they were chosen
  added.forEach((card, number) => {
    const { size } = photos[number];
    if (size <= most) card.send(photos[number]);
    else card.problem(text("too_large", { megabytes: size / 1e6, limit: most / 1e6 }));
  });
  if (photos.length) page.say(text("on_the_way", { count: photos.length }));
}

function wireInput() {
  byId("files").addEventListener("change", (event) => {
    take(event.target.files);
    event.target.value = ""; // the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take(event.clipboardData.files);
  });
  const overlay = byId("overlay");
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) overlay.hidden = true; // left the window
  });
  document.addEventListener("drop", (event) => {
    overlay.hidden = true;
    if (!brings(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  byId("older").addEventListener("click", list);
}

// ---- the gallery --------------------------------------------------------------------------------------------------

// The next page of captions, newest first. One that another one came from joins its card.
async function list() {
  try {
    const query = new URLSearchParams({ limit: PAGE, ...(oldest && { before: oldest }) });
    const { captions } = await call("GET", `/api/captions?${query}`);
    for (const caption of captions) {
      const family = cards.find((card) => card.sentences.some(({ parent }) => parent === caption.id));
      const card = family ?? new Card(page);
      card.add(caption, { older: true, quiet: true });
      if (!family) place(card, "bottom");
    }
    oldest = captions.at(-1)?.id ?? oldest;
    byId("older").hidden = captions.length < PAGE;
  } catch (error) {
    trouble(error.message);
  }
  page.changed();
}

function trouble(sentence) {
  byId("trouble").hidden = !sentence;
  byId("trouble").textContent = sentence;
}

wireInput();
list();
startPrivacy(page).then((me) => (most = me.max_photo_bytes), (error) => trouble(error.message));
