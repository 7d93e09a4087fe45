// What one can do with a card: vote, write a better sentence, ask for another, copy, remove.

import { call } from "/static/api.js";
import { consent } from "/static/privacy.js";
import { text } from "/static/texts.js";

export function wireActions(card) {
  const on = (selector, act) => {
    for (const button of card.element.querySelectorAll(selector)) {
      button.addEventListener("click", () => attempt(card, () => act(card)));
    }
  };
  on(".up", () => vote(card, 1));
  on(".down", () => vote(card, -1));
  on(".another", another);
  on(".write", openForm);
  on(".cancel", closeForm);
  on(".copy", copy);
  on(".remove", remove);
  on(".again", () => card.again());
  on(".before", () => turn(card, -1));
  on(".after", () => turn(card, 1));
  on(".yes", () => answer(card, true));
  on(".no", () => answer(card, false));

  const form = card.find(".correct");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(card, () => correct(card));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeForm(card);
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // a caption is one line
    form.requestSubmit();
  });
}

async function attempt(card, act) {
  try {
    await act();
  } catch (error) {
    card.problem(error.message);
  }
}

const path = (card, what) => `/api/captions/${card.caption.id}/${what}`;

async function vote(card, value) {
  const { caption } = card;
  const taken = caption.vote === value; // pressed again: taken back
  const result = taken ? await call("DELETE", path(card, "vote")) : await call("PUT", path(card, "vote"), { value });
  card.add({ ...caption, vote: result.vote }, { quiet: true });
  card.page.say(text(taken ? "taken_back" : "thanks"));
  ask(card, result.ask_consent);
}

function openForm(card) {
  const field = card.find("textarea");
  field.value = card.caption.correction ?? card.caption.alt_text;
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
  const result = await call("PUT", path(card, "correction"), { text: field.value });
  card.add(result.caption, { quiet: true });
  card.page.say(text("saved"));
  card.find(".write").focus();
  ask(card, result.ask_consent);
}

// Always one after the newest, so that none comes twice.
async function another(card) {
  card.add(await call("POST", `/api/captions/${card.last.id}/another`));
}

function turn(card, step) {
  card.shown += step;
  card.render();
  card.page.say(card.caption.caption ?? "");
  const [pressed, other] = step < 0 ? [".before", ".after"] : [".after", ".before"];
  card.find(card.find(pressed).disabled ? other : pressed).focus(); // at the end the way back
}

async function copy(card) {
  await copyText(card.caption.correction ?? card.caption.alt_text);
  const button = card.find(".copy");
  button.textContent = text("copied");
  setTimeout(() => (button.textContent = text("copy")), 1500);
  card.page.say(text("copied"));
}

async function copyText(sentence) {
  if (navigator.clipboard) return navigator.clipboard.writeText(sentence);
  // Browsers give a page without https no clipboard. This old way they still allow.
  const field = document.createElement("textarea");
  field.value = sentence;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

async function remove(card) {
  const [first] = card.sentences; // with it go those that were asked for after it
  if (first) {
    if (!(await card.page.confirm(text("remove_ask"), text("remove_what"), text("remove")))) return;
    await call("DELETE", `/api/captions/${first.id}`);
  }
  card.page.removed(card);
}

function ask(card, wanted) {
  card.find(".ask").hidden = !wanted;
  if (wanted) card.page.say(card.find(".ask p").textContent);
}

async function answer(card, agreed) {
  await consent(agreed);
  ask(card, false);
  card.page.say(text(agreed ? "agreed" : "declined"));
  card.find(".up").focus();
}
