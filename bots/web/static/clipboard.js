// Copies text, also where the page came without https.

export async function copyText(sentence) {
  if (navigator.clipboard) return navigator.clipboard.writeText(sentence);
  // Without https there is no navigator.clipboard; this deprecated way still works.
  const field = document.createElement("textarea");
  field.value = sentence;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
