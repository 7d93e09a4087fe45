// Renders a caption whose words show where the model looked: under the mouse, when tapped, or by the arrow keys.
//
// For screen readers the caption is one text. The keyboard reaches its words by a slider, which is seen as the outline
// of the caption: one stop of the Tab key, with arrow keys to move from word to word.

import { text } from "./i18n.js";

// isHeading: whether the caption is the heading of its card. showAttention(index) shows the attention map of a word,
// showAttention(null) hides it. Returns the element of the text.
export function renderCaption(container, caption, isHeading, showAttention) {
  const { words, attention } = caption;
  const element = document.createElement(isHeading ? "h3" : "p");
  if (caption.language) element.lang = caption.language;
  let pinned = null;
  const spans = [];
  const parts = caption.caption.split(/\s+/).map((token) => {
    const bare = token.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
    if (!attention || bare !== words?.[spans.length]?.toLowerCase()) return token;
    const span = wordSpan(token, spans.length);
    spans.push(span);
    return span;
  });
  element.append(...(caption.label ? [label(), " "] : []));
  element.append(...parts.flatMap((part, number) => (number ? [" ", part] : [part])));
  container.replaceChildren(element, ...(spans.length ? [slider()] : []));
  return element;

  // "AI:", in the language of the page.
  function label() {
    const label = document.createElement("span");
    Object.assign(label, { className: "label", lang: document.documentElement.lang, textContent: caption.label });
    return label;
  }

  function wordSpan(token, word) {
    const span = document.createElement("span");
    span.className = "word";
    span.textContent = token;
    span.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(word));
    span.addEventListener("pointerleave", () => show(pinned));
    span.addEventListener("click", () => pin(pinned === word ? null : word));
    return span;
  }

  function show(word) {
    spans.forEach((span, number) => span.classList.toggle("shown", number === word));
    showAttention(word);
  }

  function pin(word) {
    pinned = word;
    spans.forEach((span, number) => span.classList.toggle("pinned", number === word));
    show(word);
  }

  function slider() {
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", className: "looker", min: 0, max: spans.length - 1, value: 0 });
    slider.setAttribute("aria-label", text("look"));
    const current = () => {
      slider.setAttribute("aria-valuetext", spans[slider.value].textContent);
      return Number(slider.value);
    };
    current();
    slider.addEventListener("focus", () => slider.matches(":focus-visible") && show(current()));
    slider.addEventListener("input", () => show(current()));
    slider.addEventListener("blur", () => show(pinned));
    slider.addEventListener("keydown", (event) => event.key === "Escape" && pin(null));
    return slider;
  }
}
