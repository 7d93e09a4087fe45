// What the page says, in the person's language: the server wrote it into the page.

const root = document.documentElement;
const sentences = JSON.parse(document.getElementById("texts").textContent);
const plural = new Intl.PluralRules(root.lang);

// The sentence of this key with its {values} filled in; one with plural forms goes by `count`.
export function text(key, values = {}) {
  const found = sentences[key];
  const sentence = typeof found === "string" ? found : found[plural.select(values.count)];
  return sentence.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

const number = (value) => value.toLocaleString(root.lang, { maximumFractionDigits: 1 });
