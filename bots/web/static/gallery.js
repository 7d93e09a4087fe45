// The list of cards: photos that were added here, and those that the server lists, newest first. Photos that were
// chosen together keep the order in which they were chosen.

import { call, Watcher } from "./api.js";
import { Card } from "./card.js";
import { text } from "./i18n.js";

const PAGE_SIZE = 24; // captions that are listed by one request

const byId = (id) => document.getElementById(id);

const newList = (query = "") => ({ query, cards: [], oldest: null, more: false }); // oldest: id of its last caption

export class Gallery {
  // page: shared by all cards, see app.js.
  constructor(page) {
    this.page = page;
    this.all = newList();
    this.found = null; // what a search found, which is shown instead of all
    this.watcher = new Watcher((caption) => this.everyCard.find((card) => card.holds(caption.id))?.add(caption));
  }

  get shown() {
    return this.found ?? this.all;
  }

  // The cards that are shown, in the order of the page.
  get cards() {
    return this.shown.cards;
  }

  get everyCard() {
    return [...new Set([...this.all.cards, ...(this.found?.cards ?? [])])];
  }

  // Adds cards for photos that were chosen together. Returns them.
  addAlbum(names) {
    this.showAll();
    const album = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const added = names.map((name, position) => new Card(this.page, { name, album, position }));
    this.all.cards.unshift(...added);
    this.arrange();
    return added;
  }

  remove(card) {
    for (const list of [this.all, this.shown]) list.cards = list.cards.filter((other) => other !== card);
    card.element.remove();
    if (card.preview) URL.revokeObjectURL(card.preview);
    for (const { id } of card.sentences) this.watcher.remove(id);
    this.page.update();
  }

  async list({ query, oldest }) {
    const values = { limit: PAGE_SIZE, ...(oldest && { before: oldest }), ...(query && { search: query }) };
    const { captions } = await call("GET", `/api/captions?${new URLSearchParams(values)}`);
    return captions;
  }

  // Loads the next page of what is shown. Returns the cards that it added.
  async loadOlder() {
    const list = this.shown;
    const before = new Set(list.cards);
    this.append(list, await this.list(list));
    this.arrange();
    return list.cards.filter((card) => !before.has(card));
  }

  // Shows what a search finds.
  async search(query) {
    const list = newList(query);
    this.append(list, await this.list(list));
    this.found = list;
    this.arrange();
  }

  showAll() {
    if (!this.found) return;
    const left = this.found.cards.filter((card) => !this.all.cards.includes(card));
    this.found = null;
    for (const { id } of left.flatMap((card) => card.sentences)) this.watcher.remove(id);
    this.page.searchEnded();
    this.arrange();
  }

  append(list, captions) {
    for (const caption of captions) this.place(list, caption, "push");
    list.oldest = captions.at(-1)?.id ?? list.oldest;
    list.more = captions.length === PAGE_SIZE;
  }

  // Shows what changed elsewhere, such as in another tab.
  async refresh() {
    const known = this.all.cards.flatMap((card) => card.sentences);
    const captions = await this.list(newList());
    for (const caption of [...captions].reverse()) this.place(this.all, caption, "unshift");
    const listed = new Set(captions.map(({ id }) => id));
    const since = captions.length < PAGE_SIZE ? "" : captions.at(-1).created_at;
    for (const { id, created_at } of known) {
      const card = this.all.cards.find((card) => card.sentences[0]?.id === id);
      if (card && created_at >= since && !listed.has(id)) this.remove(card);
    }
    this.arrange();
  }

  // Adds a listed caption to the card of its photo, or as a new card at an end of the list. A card that another list
  // has already is the same in both.
  place(list, caption, end) {
    const belongs = (card) =>
      card.holds(caption.id) || card.holds(caption.parent) || card.sentences.some(({ parent }) => parent === caption.id);
    const existing = list.cards.find(belongs) ?? this.everyCard.find(belongs);
    const card = existing ?? new Card(this.page, { name: caption.file_name ?? undefined });
    if (!card.isEdited) card.add(caption, { quiet: true });
    if (!list.cards.includes(card)) list.cards[end](card);
  }

  // Puts the cards in order: photos of an album stay together. Elements that are in place are not touched, so that
  // they keep the focus.
  arrange() {
    const { all } = this;
    const together = (card) => all.cards.filter((other) => other === card || (card.album && other.album === card.album));
    const inOrder = (card) => together(card).sort((one, other) => one.position - other.position);
    all.cards = [...new Set(all.cards.flatMap(inOrder))];
    const gallery = byId("gallery");
    const elements = this.cards.map(({ element }) => element);
    for (const element of [...gallery.children]) if (!elements.includes(element)) element.remove();
    elements.forEach((element, at) => {
      if (gallery.children[at] !== element) gallery.insertBefore(element, gallery.children[at] ?? null);
    });
    byId("older").hidden = !this.shown.more;
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
