// The page that a link between devices opens: takes the secret from the address into the form, and out of the address.

const field = document.querySelector("input[name=code]");
if (location.hash) {
  field.value = location.hash.slice(1);
  field.closest("label").hidden = true;
  history.replaceState(null, "", location.pathname);
}
