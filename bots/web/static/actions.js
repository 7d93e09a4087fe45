// Connects the buttons of a card: vote, correct, ask for another sentence, copy, remove.

import { call } from "./api.js";
import { altText, spoken } from "./card.js";
import { copyText } from "./clipboard.js";
import { setConsent } from "./privacy.js";
import { text } from "./i18n.js";

export function wireActions(card) {
  const on = (selector, action) => {
    for (const button of card.element.querySelectorAll(selector)) {
      button.addEventListener("click", () => attempt(card, () => action(card)));
    }
  };
  on(".up", () => vote(card, 1));
  on(".down", () => vote(card, -1));
  on(".another", another);
  on(".write", openForm);
  on(".cancel", closeForm);
  on(".copy", copy);
  on(".share", share);
  on(".remove", remove);
  on(".again", () => card.retry());
  on(".before", () => showNext(card, -1));
  on(".after", () => showNext(card, 1));
  on(".yes", () => answerConsent(card, true));
  on(".no", () => answerConsent(card, false));

  const form = card.find(".correct");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(card, () => correct(card));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeForm(card);
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // a caption has no line breaks
    form.requestSubmit();
  });
}

async function attempt(card, action) {
  try {
    await action();
  } catch (error) {
    card.showError(error.message);
  }
}

const url = (card, resource) => `/api/captions/${card.caption.id}/${resource}`;

async function vote(card, value) {
  const { caption } = card;
  const undo = caption.vote === value; // a second press takes the vote back
  const result = await (undo ? call("DELETE", url(card, "vote")) : call("PUT", url(card, "vote"), { value }));
  card.add({ ...caption, vote: result.vote }, { quiet: true });
  card.page.tellTabs();
  card.page.announce(text(undo ? "taken_back" : "thanks"));
  showConsentQuestion(card, result.ask_consent);
}

function openForm(card) {
  const field = card.find("textarea");
  field.value = card.caption.alt_text;
  card.find(".correct").hidden = false;
  card.find(".actions").hidden = true;
  field.focus();
  field.select();
}

function closeForm(card) {
  card.render();
  card.find(".write").focus();
}

async function correct(card) {
  const field = card.find("textarea");
  const result = await call("PUT", url(card, "correction"), { text: field.value });
  card.setCorrection(result.caption.correction);
  card.add(result.caption, { quiet: true });
  card.page.tellTabs();
  card.page.announce(text("saved"));
  card.find(".write").focus();
  showConsentQuestion(card, result.ask_consent);
}

// Asks for the next sentence after the newest one, so that no sentence comes twice.
async function another(card) {
  card.add(await call("POST", `/api/captions/${card.last.id}/another`));
  card.page.tellTabs();
}

// Shows the next (step 1) or previous (-1) sentence.
function showNext(card, step) {
  card.shown += step;
  card.render();
  card.page.announce(card.find(".which").textContent, ...(card.caption.caption ? spoken(card.caption) : []));
  const [pressed, other] = step < 0 ? [".before", ".after"] : [".after", ".before"];
  card.find(card.find(pressed).disabled ? other : pressed).focus(); // a disabled button cannot keep the focus
}

async function copy(card) {
  await copyText(altText(card.caption));
  const button = card.find(".copy");
  button.textContent = text("copied");
  setTimeout(() => (button.textContent = text("copy")), 1500);
  card.page.announce(text("copied"));
}

// Hands the sentence to another app, with the photo where the browser can share files.
async function share(card) {
  const { photo } = card.caption;
  const data = { text: altText(card.caption) };
  if (photo) {
    const jpeg = await (await fetch(photo)).blob();
    const files = [new File([jpeg], card.photoName, { type: "image/jpeg" })];
    if (navigator.canShare?.({ files })) data.files = files;
  }
  await navigator.share(data).catch((error) => {
    if (error.name !== "AbortError") throw error; // a person changed their mind
  });
}

async function remove(card) {
  const [first] = card.sentences; // the server removes the later sentences with it
  if (first) {
    if (!(await card.page.confirm(text("remove_ask"), text("remove_what"), text("remove")))) return;
    await call("DELETE", `/api/captions/${first.id}`);
  }
  card.leaveQueue?.();
  card.page.removed(card);
  card.page.tellTabs();
}

function showConsentQuestion(card, visible) {
  card.find(".ask").hidden = !visible;
  if (visible) card.page.announce(card.find(".ask p").textContent);
}

async function answerConsent(card, agreed) {
  await setConsent(agreed);
  showConsentQuestion(card, false);
  card.page.announce(text(agreed ? "agreed" : "declined"));
  card.find(".up").focus();
}
