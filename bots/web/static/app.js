// Entry point of the page: accepts photos by drag and drop, paste and file chooser, and loads the gallery.

import { Announcer } from "./announcer.js";
import { connectTabs, focusAdded, Gallery } from "./gallery.js";
import { loadMe } from "./me.js";
import { showLimits, startPrivacy } from "./privacy.js";
import { clearSearch, startSearch } from "./search.js";
import { startSettings } from "./settings.js";
import { text } from "./i18n.js";
import { UploadQueue } from "./upload_queue.js";

const byId = (id) => document.getElementById(id);
let maxBytes = Infinity; // of a photo

// ---- shared by all cards ------------------------------------------------------------------------------------------

const page = {
  announcer: new Announcer(byId("live")),
  uploads: new UploadQueue(),

  announce(...parts) {
    page.announcer.say(...parts);
  },

  confirm(title, details, yes) {
    const dialog = byId("confirm");
    byId("confirm-title").textContent = title;
    byId("confirm-text").textContent = details;
    byId("confirm-yes").textContent = yes;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  },

  // A person removed a card: the focus goes to the next one.
  removed(card) {
    const at = page.gallery.cards.indexOf(card);
    page.gallery.remove(card);
    page.announce(text("removed"));
    const next = page.gallery.cards[at] ?? page.gallery.cards[at - 1];
    (next?.find(".actions .remove") ?? byId("files")).focus();
  },

  searchEnded: clearSearch,

  update() {
    const { all, cards } = page.gallery;
    const isFilled = all.cards.length > 0;
    byId("empty").hidden = isFilled;
    byId("captions").hidden = !isFilled;
    byId("tip").hidden = !cards.some((card) => card.caption?.attention);
    document.body.classList.toggle("filled", isFilled);
  },
};
page.gallery = new Gallery(page);
page.tellTabs = connectTabs(page.gallery);

// ---- photo input --------------------------------------------------------------------------------------------------

function addPhotos(files) {
  const photos = [...files].filter((file) => file.type.startsWith("image/") || /\.(hei[cf]|avif)$/i.test(file.name));
  const others = files.length - photos.length;
  showError(others ? text("no_pictures", { count: others }) : "");
  if (photos.length) page.announcer.startBatch(photos.length);
  const added = page.gallery.addAlbum(photos.map((file) => file.name));
  added.forEach((card, number) => {
    const { size } = photos[number];
    if (size <= maxBytes) card.upload(photos[number]);
    else card.showError(text("too_large", { megabytes: size / 1e6, limit: maxBytes / 1e6 }));
  });
}

// Photos from the clipboard or from a drag. An address is no photo: nothing is fetched from other sites.
function addTransfer(data) {
  if (data.files.length) return addPhotos(data.files);
  const address = data.getData("text/uri-list") || data.getData("text/plain").trim();
  const isAddress = /^(https?|data|blob|file):\S+$/i.test(address) || /<img\s/i.test(data.getData("text/html"));
  if (isAddress) showError(text("address"));
}

function wireInput() {
  byId("files").addEventListener("change", (event) => {
    addPhotos(event.target.files);
    event.target.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData && !event.target.closest?.("textarea, input")) addTransfer(event.clipboardData);
  });
  const overlay = byId("overlay");
  const isWanted = ({ dataTransfer }) => ["Files", "text/uri-list"].some((type) => dataTransfer?.types.includes(type));
  document.addEventListener("dragover", (event) => {
    if (!isWanted(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) overlay.hidden = true; // the pointer left the window
  });
  document.addEventListener("drop", (event) => {
    overlay.hidden = true;
    if (!isWanted(event)) return;
    event.preventDefault(); // also of an address, which the browser would open instead of this page
    addTransfer(event.dataTransfer);
  });
  byId("older").addEventListener("click", async () => focusAdded(page, await loadOlder()));
}

async function loadOlder() {
  try {
    return await page.gallery.loadOlder();
  } catch (error) {
    showError(error.message);
    page.update();
    return [];
  }
}

function showError(sentence) {
  byId("error").hidden = !sentence;
  byId("error").textContent = sentence;
}

wireInput();
startSearch(page, showError);
loadOlder();
startPrivacy(page);
startSettings();
loadMe().then((me) => {
  maxBytes = me.max_photo_bytes;
  byId("joined").hidden = !me.joined;
  showLimits(me);
}, (error) => showError(error.message));
