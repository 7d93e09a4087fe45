// The list of cards: photos that were added here, and those that the server lists, newest first. Photos that were
// chosen together keep the order in which they were chosen.

import { call, Watcher } from "./api.js";
import { Card } from "./card.js";
import { text } from "./i18n.js";

const PAGE_SIZE = 24; // captions that are listed by one request

const byId = (id) => document.getElementById(id);

export class Gallery {
  // page: shared by all cards, see app.js.
  constructor(page) {
    this.page = page;
    this.cards = []; // in the order of the page
    this.oldest = null; // id of the last caption that was listed
    this.watcher = new Watcher((caption) => this.cards.find((card) => card.holds(caption.id))?.add(caption));
  }

  // Adds cards for photos that were chosen together. Returns them.
  addAlbum(names) {
    const album = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const added = names.map((name, position) => new Card(this.page, { name, album, position }));
    this.cards.unshift(...added);
    this.arrange();
    return added;
  }

  remove(card) {
    this.cards = this.cards.filter((other) => other !== card);
    card.element.remove();
    if (card.preview) URL.revokeObjectURL(card.preview);
    for (const { id } of card.sentences) this.watcher.remove(id);
    this.page.update();
  }

  async list(before) {
    const query = new URLSearchParams({ limit: PAGE_SIZE, ...(before && { before }) });
    const { captions } = await call("GET", `/api/captions?${query}`);
    return captions;
  }

  // Loads the next page of captions. Returns the cards that it added.
  async loadOlder() {
    const shown = new Set(this.cards);
    const captions = await this.list(this.oldest);
    for (const caption of captions) this.place(caption, "push");
    this.oldest = captions.at(-1)?.id ?? this.oldest;
    byId("older").hidden = captions.length < PAGE_SIZE;
    this.arrange();
    return this.cards.filter((card) => !shown.has(card));
  }

  // Shows what changed elsewhere, such as in another tab.
  async refresh() {
    const known = this.cards.flatMap((card) => card.sentences);
    const captions = await this.list();
    for (const caption of [...captions].reverse()) this.place(caption, "unshift");
    const listed = new Set(captions.map(({ id }) => id));
    const since = captions.length < PAGE_SIZE ? "" : captions.at(-1).created_at;
    for (const { id, created_at } of known) {
      const card = this.cards.find((card) => card.sentences[0]?.id === id);
      if (card && created_at >= since && !listed.has(id)) this.remove(card);
    }
    this.arrange();
  }

  // Adds a listed caption to the card of its photo, or as a new card at an end of the list.
  place(caption, end) {
    const belongs = (card) =>
      card.holds(caption.id) || card.holds(caption.parent) || card.sentences.some(({ parent }) => parent === caption.id);
    const existing = this.cards.find(belongs);
    const card = existing ?? new Card(this.page);
    if (!card.isEdited) card.add(caption, { quiet: true });
    if (!existing) this.cards[end](card);
  }

  // Puts the cards in order: photos of an album stay together. Elements that are in place are not touched, so that
  // they keep the focus.
  arrange() {
    const together = (card) => this.cards.filter((other) => other === card || (card.album && other.album === card.album));
    const inOrder = (card) => together(card).sort((one, other) => one.position - other.position);
    this.cards = [...new Set(this.cards.flatMap(inOrder))];
    const gallery = byId("gallery");
    this.cards.forEach(({ element }, at) => {
      if (gallery.children[at] !== element) gallery.insertBefore(element, gallery.children[at] ?? null);
    });
    this.page.update();
  }
}

// Tells other tabs of this browser what changes here, and listens to them.
export function connectTabs(gallery) {
  const channel = new BroadcastChannel("captionbot");
  const refresh = () => gallery.refresh().catch(() => {}); // the next change or visit tries again
  channel.onmessage = ({ data }) => (data === "forgotten" ? location.reload() : refresh());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
  return (what = "changed") => channel.postMessage(what);
}

// Moves the focus to the first card that was added, and says how many there are.
export function focusAdded(page, added) {
  if (!added.length) return;
  added[0].element.focus();
  page.announcer.say(text("older_shown", { count: added.length }));
}
