// The search field: shows what it finds while somebody types, and says how much that is.

import { text } from "./i18n.js";

const PAUSE = 300; // milliseconds without a key until the server is asked

const byId = (id) => document.getElementById(id);

// page: shared by all cards, see app.js. showError: shows a sentence on the page.
export function startSearch(page, showError) {
  const { gallery } = page;
  const field = byId("query");
  let timer = null;

  async function search() {
    clearTimeout(timer);
    const query = field.value.trim();
    if (!query) return gallery.showAll();
    try {
      await gallery.search(query);
    } catch (error) {
      return showError(error.message);
    }
    if (field.value.trim() !== query) return search(); // somebody typed on
    const count = gallery.cards.length;
    const sentence = gallery.found.more ? text("found_first", { count }) : count ? text("found", { count }) : text("found_none");
    byId("found").textContent = sentence;
    byId("found").hidden = false;
    page.announce(sentence);
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, field.value ? PAUSE : 0);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !field.value) return;
    event.preventDefault();
    field.value = "";
    search();
  });
}

// All photos are shown again.
export function clearSearch() {
  byId("query").value = "";
  byId("found").hidden = true;
}
