// A caption as words one can point at. Hover, focus or tap shows where the model looked.
//
// The words are one stop for the Tab key, arrows move among them: a page of captions stays quick to cross.

import { text } from "/static/texts.js";

// show(word number) draws its map, show(null) takes it away.
export function renderSentence(place, caption, show) {
  const { words, attention } = caption;
  let next = 0; // number of the decoded word that is looked for
  let pinned = null;
  const buttons = [];
  const parts = caption.caption.split(/\s+/).map((token) => {
    const bare = token.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
    if (!attention || next >= (words?.length ?? 0) || bare !== words[next].toLowerCase()) return token;
    const button = wordButton(token, next++);
    buttons.push(button);
    return button;
  });
  place.replaceChildren(...parts.flatMap((part) => [part, " "]));
  place.ariaHidden = buttons.length ? null : "true"; // without buttons the unseen sentence says it all
  if (!buttons.length) {
    place.removeAttribute("role");
    return;
  }
  place.setAttribute("role", "toolbar");
  place.setAttribute("aria-label", text("words"));
  buttons.forEach((button, number) => (button.tabIndex = number ? -1 : 0));

  function wordButton(token, word) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "word";
    button.textContent = token;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(word));
    button.addEventListener("pointerleave", () => show(pinned));
    button.addEventListener("focus", () => button.matches(":focus-visible") && show(word));
    button.addEventListener("blur", () => show(pinned));
    button.addEventListener("click", () => pin(pinned === word ? null : word));
    return button;
  }

  function pin(word) {
    pinned = word;
    buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === word)));
    show(word);
  }

  function move(to) {
    const target = buttons[Math.min(buttons.length - 1, Math.max(0, to))];
    buttons.forEach((button) => (button.tabIndex = button === target ? 0 : -1));
    target.focus();
  }

  place.onkeydown = (event) => {
    const at = buttons.indexOf(document.activeElement);
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 };
    if (event.key in steps) {
      event.preventDefault();
      move(steps[event.key]);
    } else if (event.key === "Escape") {
      pin(null);
    }
  };
}
