// The texts of the page in the language of the browser. The server has embedded them in the page.

const root = document.documentElement;
const sentences = JSON.parse(document.getElementById("texts").textContent);
const plural = new Intl.PluralRules(root.lang);

// The text with this key, with its {placeholders} filled in. Plural forms are chosen by `count`.
export function text(key, values = {}) {
  const found = sentences[key];
  const sentence = typeof found === "string" ? found : found[plural.select(values.count)];
  return sentence.replace(/\{(\w+)\}/g, (_, name) => formatted(values[name]));
}

function formatted(value) {
  return typeof value === "number" ? value.toLocaleString(root.lang, { maximumFractionDigits: 1 }) : value;
}
