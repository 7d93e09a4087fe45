// One photo on the page and the sentences about it, oldest first. "Another one" adds a sentence; a vote or a better
// sentence belongs to the one that is shown.

import { upload } from "/static/api.js";
import { wireActions } from "/static/actions.js";
import { drawBackdrop, drawHeat } from "/static/paint.js";
import { renderSentence } from "/static/sentence.js";
import { text } from "/static/texts.js";

const LONG = 12_000; // milliseconds after which we say that it takes a while

const isBusy = (caption) => caption.status === "queued" || caption.status === "running";

export class Card {
  // page: what all cards share, see app.js. name: of the file, if it is known.
  constructor(page, name = text("your_photo")) {
    this.page = page;
    this.name = name;
    this.sentences = [];
    this.shown = 0; // number of the sentence that is shown
    this.element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    this.element.setAttribute("aria-label", name);
    const picture = this.find(".picture");
    picture.addEventListener("load", () => drawBackdrop(this.find(".backdrop"), picture));
    picture.addEventListener("error", () => this.unshowable());
    wireActions(this);
  }

  get caption() {
    return this.sentences[this.shown];
  }

  get last() {
    return this.sentences.at(-1);
  }

  holds(id) {
    return this.sentences.some((caption) => caption.id === id);
  }

  // ---- what it holds ----------------------------------------------------------------------------------------------

  async send(file) {
    const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.preview = URL.createObjectURL(file);
    this.showPhoto(this.preview);
    this.stage("in_line");
    this.again = async () => {
      this.stage("sending", 0);
      try {
        const progress = (part) => (part < 1 ? this.stage("sending", part) : this.stage("looking"));
        this.add(await upload(file, key, progress));
      } catch (error) {
        this.problem(error.message, { retry: error.mayPass });
      }
    };
    await this.page.inTurn(this.again);
  }

  // A caption that is new here, or a newer state of one that is held. `older`: it goes before the others.
  add(caption, { older = false, quiet = false } = {}) {
    const at = this.sentences.findIndex(({ id }) => id === caption.id);
    if (at >= 0) this.sentences[at] = caption;
    else if (older) this.sentences.unshift(caption);
    else this.sentences.push(caption);
    if (at < 0) this.shown = this.sentences.length - 1;
    if (isBusy(caption)) this.page.watcher.add(caption.id);
    else if (!quiet) this.page.say(`${this.name}: ${caption.error ?? `${caption.caption} ${caption.sureness}`}`);
    if (this.find(".correct").hidden || caption === this.caption) this.render(); // what is being written stays
  }

  // ---- what one sees ----------------------------------------------------------------------------------------------

  render() {
    const { caption } = this;
    if (!this.preview) this.showPhoto(caption.photo);
    this.find(".pager").hidden = this.sentences.length < 2;
    this.find(".which").textContent = text("which", { number: this.shown + 1, count: this.sentences.length });
    this.find(".before").disabled = this.shown === 0;
    this.find(".after").disabled = caption === this.last;
    this.find(".another").disabled = isBusy(this.last) || !caption.photo;
    if (isBusy(caption)) this.stage(this.sentences.length > 1 ? "thinking" : "looking");
    else if (caption.status === "failed") this.problem(caption.error, { remove: true });
    else this.showSentence();
    this.page.changed();
  }

  // Only the parts of these names are seen, of the body's parts that come and go.
  view(...names) {
    const focused = this.element.contains(document.activeElement);
    for (const name of ["work", "said", "trouble", "correct", "actions"]) {
      this.find(`.${name}`).hidden = !names.includes(name);
    }
    this.element.classList.toggle("busy", names.includes("work"));
    clearTimeout(this.patience);
    this.heat(null);
    // A button that was pressed and went away leaves the focus to the card, which gives it to the buttons that come.
    if (focused && !document.activeElement.checkVisibility()) this.element.focus({ preventScroll: true });
    if (document.activeElement === this.element) this.find(".actions:not([hidden]) .another")?.focus();
  }

  // key: of the sentence that says what is going on. part: how much of it is done, 0 to 1, where that is known.
  stage(key, part = null) {
    this.view("work");
    this.find(".stage").textContent = text(key);
    if (part === null) this.patience = setTimeout(() => (this.find(".stage").textContent = text("long")), LONG);
    if (part === null) this.find("progress").removeAttribute("value");
    else this.find("progress").value = 100 * part;
  }

  showSentence() {
    const { caption } = this;
    this.view("said", "actions");
    this.find(".plain-sentence").textContent = caption.caption;
    this.find(".picture").alt = caption.correction ?? caption.caption;
    renderSentence(this.find(".sentence"), caption, (word) => this.heat(word));
    this.find(".level").style.width = `${Math.round(100 * caption.confidence)}%`;
    this.find(".in-words").textContent = caption.sureness;
    this.find(".better").hidden = !caption.correction;
    this.find(".better q").textContent = caption.correction ?? "";
    this.find(".write").textContent = text(caption.correction ? "change" : "write");
    this.find(".up").setAttribute("aria-pressed", String(caption.vote === 1));
    this.find(".down").setAttribute("aria-pressed", String(caption.vote === -1));
  }

  // The sentence stays, if there is one, and the trouble stands below it.
  problem(sentence, { retry = false, remove = false } = {}) {
    if (this.caption?.caption) this.view("said", "trouble", "actions");
    else this.view("trouble");
    this.find(".trouble p").textContent = sentence;
    this.find(".again").hidden = !retry;
    this.find(".trouble .remove").hidden = !remove && Boolean(this.caption);
    this.page.say(`${this.name}: ${sentence}`);
  }

  showPhoto(url) {
    this.find(".gone").hidden = Boolean(url) || !this.caption;
    const picture = this.find(".picture");
    picture.hidden = this.find(".backdrop").hidden = !url;
    if (url && picture.getAttribute("src") !== url) picture.src = url;
  }

  // A browser may not know HEIC; the server keeps a JPEG of it.
  unshowable() {
    this.preview = null;
    this.showPhoto(this.caption?.photo === this.find(".picture").getAttribute("src") ? null : this.caption?.photo);
  }

  heat(word) {
    const picture = this.find(".picture");
    const visible = word !== null && Boolean(this.caption?.attention) && picture.naturalWidth > 0;
    this.find(".heat").classList.toggle("on", visible);
    if (visible) drawHeat(this.find(".heat"), picture, this.caption.attention, word);
  }
}
