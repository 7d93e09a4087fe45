// The texts of the page in the language of the browser. The server has embedded them in the page.

const root = document.documentElement;
const { texts, plurals } = JSON.parse(document.getElementById("texts").textContent);

// The text with this key, with its {placeholders} filled in. Plural forms are chosen by `count`.
export function text(key, values = {}) {
  const { forms, plural } = texts[key];
  return forms[formOf(values.count, plurals[plural])].replace(/\{(\w+)\}/g, (_, name) => formatted(values[name]));
}

// The index of the plural form for a count, as in bots/po_files.py: a digit for each count below 200, and a fraction has
// the form of 2. The table is empty for texts that have one form only.
function formOf(count, table) {
  if (!table) return 0;
  const whole = Number.isInteger(count) ? count : 2;
  return Number(table[whole < table.length ? whole : 100 + (whole % 100)]);
}

function formatted(value) {
  return typeof value === "number" ? value.toLocaleString(root.lang, { maximumFractionDigits: 1 }) : value;
}
