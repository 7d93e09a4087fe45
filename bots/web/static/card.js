// A photo on the page with the sentences about it, oldest first. "Another one" adds a sentence. Votes and corrections
// apply to the sentence that is shown.

import { upload } from "./api.js";
import { wireActions } from "./actions.js";
import { drawBackdrop, drawAttention } from "./canvas.js";
import { renderCaption } from "./caption_text.js";
import { text } from "./i18n.js";

const SLOW_AFTER = 12_000; // milliseconds until the card says that it takes longer than usual

let made = 0; // cards so far

const isBusy = (caption) => caption.status === "queued" || caption.status === "running";

export class Card {
  // page: shared by all cards, see app.js. name: of the file, if it is known.
  // album, position: of photos that were chosen together, see gallery.js.
  constructor(page, { name = text("your_photo"), album = null, position = 0 } = {}) {
    Object.assign(this, { page, name, album, position });
    this.number = ++made;
    this.sentences = [];
    this.shown = 0; // index of the sentence that is shown
    this.element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.find = (selector) => this.element.querySelector(selector);
    this.setName(null);
    const picture = this.find(".picture");
    picture.addEventListener("load", () => drawBackdrop(this.find(".backdrop"), picture));
    picture.addEventListener("error", () => this.onUndecodable());
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

  // Whether a person is writing in the form.
  get isEdited() {
    return !this.find(".correct").hidden;
  }

  // ---- state ------------------------------------------------------------------------------------------------------

  async upload(file) {
    const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
    this.preview = URL.createObjectURL(file);
    this.showPhoto(this.preview);
    this.showProgress("in_line");
    const send = async () => {
      this.showProgress("sending", 0);
      try {
        const onProgress = (done) => this.showProgress(...(done < 1 ? ["sending", done] : ["looking"]));
        this.add(await upload(file, { key, album: this.album, position: this.position }, onProgress));
        this.page.tellTabs();
      } catch (error) {
        if (error.retryAfter) throw error; // the queue sends it again
        this.showError(error.message, { retry: error.retryable });
      }
    };
    this.retry = () => {
      this.showProgress("in_line");
      this.leaveQueue = this.page.uploads.add(send, (until) => this.showWait(until));
    };
    this.retry();
  }

  // Adds a caption, or replaces an older state of it. quiet: do not announce it.
  add(caption, { quiet = false } = {}) {
    const at = this.sentences.findIndex(({ id }) => id === caption.id);
    const before = this.caption;
    if (at >= 0) this.sentences[at] = caption;
    else this.sentences.push(caption);
    this.sentences.sort((one, other) => (one.created_at < other.created_at ? -1 : 1)); // stable
    const isNewest = at < 0 && this.last === caption;
    this.shown = isNewest ? this.sentences.length - 1 : this.sentences.findIndex(({ id }) => id === before.id);
    [this.album, this.position] = [this.sentences[0].album ?? this.album, this.sentences[0].position];
    if (isBusy(caption)) this.page.gallery.watcher.add(caption.id);
    else if (!quiet) this.announceCaption(caption);
    if (!this.isEdited || caption === this.caption) this.render(); // an open form keeps its text
  }

  announceCaption(caption) {
    const { announcer } = this.page;
    const told = [`${this.name}:`, ...(caption.error ? [caption.error] : spoken(caption)), caption.sureness];
    if (this.sentences.length > 1) announcer.say(...told.slice(1));
    else announcer.finished(!caption.error, ...told);
  }

  // The name under which the photo is saved: that of the file, or else the sentence.
  get photoName() {
    const { file_name: name, alt_text: sentence } = this.caption;
    const stem = name?.replace(/\.[^.]*$/, "") ?? sentence.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
    return `${stem}.jpg`;
  }

  // What the person wrote about this photo counts for all of its sentences.
  setCorrection(sentence) {
    for (const caption of this.sentences) caption.correction = caption.alt_text = sentence;
  }

  // The card is known by its caption, and before there is one by the name of the file.
  setName(headingId) {
    for (const part of [this.element, this.find(".actions"), this.find(".ask"), this.find(".pager")]) {
      if (headingId) part.setAttribute("aria-labelledby", headingId);
      else part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", this.name);
    }
  }

  // ---- rendering --------------------------------------------------------------------------------------------------

  render() {
    const { caption } = this;
    if (!this.preview) this.showPhoto(caption.photo);
    this.find(".pager").hidden = this.sentences.length < 2;
    this.find(".which").textContent = text("which", { number: this.shown + 1, count: this.sentences.length });
    this.find(".before").disabled = this.shown === 0;
    this.find(".after").disabled = caption === this.last;
    this.find(".another").disabled = isBusy(this.last) || !caption.photo;
    if (isBusy(caption)) this.showProgress(this.sentences.length > 1 ? "thinking" : "looking");
    else if (caption.status === "failed") this.showError(caption.error, { remove: true });
    else this.showSentence();
    this.page.update();
  }

  // Shows these sections of the card and hides the others.
  showSections(...names) {
    const focused = this.element.contains(document.activeElement);
    for (const name of ["work", "result", "error", "correct", "actions"]) {
      this.find(`.${name}`).hidden = !names.includes(name);
    }
    this.element.classList.toggle("busy", names.includes("work"));
    clearTimeout(this.slowTimer);
    this.showAttention(null);
    // If the focused button was hidden, focus the card, and then the first button that is shown.
    if (focused && !document.activeElement.checkVisibility()) this.element.focus({ preventScroll: true });
    if (document.activeElement === this.element) this.find(".actions:not([hidden]) .another")?.focus();
  }

  // key: of the text of this stage. fraction: of the work that is done, 0 to 1, or null if unknown.
  showProgress(key, fraction = null) {
    this.showSections("work");
    this.find(".stage").textContent = text(key);
    if (fraction === null) {
      this.slowTimer = setTimeout(() => (this.find(".stage").textContent = text("long")), SLOW_AFTER);
      this.find("progress").removeAttribute("value");
    } else {
      this.find("progress").value = 100 * fraction;
    }
  }

  showSentence() {
    const { caption } = this;
    this.showSections("result", "actions");
    const id = `card-${this.number}`;
    const isHeading = !caption.correction;
    this.find(".better").hidden = isHeading;
    this.find(".yours").textContent = caption.correction ?? "";
    const heading = renderCaption(this.find(".sentence"), caption, isHeading, (word) => this.showAttention(word));
    for (const element of [this.find(".yours"), heading]) element.removeAttribute("id");
    (isHeading ? heading : this.find(".yours")).id = id;
    this.setName(id);
    this.find(".confidence").hidden = caption.confidence === null; // a person wrote it
    this.find(".level").style.width = `${Math.round(100 * caption.confidence)}%`;
    this.find(".in-words").textContent = caption.sureness;
    this.find(".write").textContent = text(caption.correction ? "change" : "write");
    const save = this.find(".download");
    save.hidden = !caption.photo;
    if (caption.photo) [save.href, save.download] = [caption.photo, this.photoName];
    this.find(".share").hidden = !navigator.share;
    this.find(".up").setAttribute("aria-pressed", String(caption.vote === 1));
    this.find(".down").setAttribute("aria-pressed", String(caption.vote === -1));
  }

  // Shows an error, below the sentence if there is one.
  showError(sentence, { retry = false, remove = false } = {}) {
    if (this.caption?.caption) this.showSections("result", "error", "actions");
    else this.showSections("error");
    this.find(".error p").textContent = sentence;
    this.find(".again").hidden = !retry;
    this.find(".error .remove").hidden = !remove && Boolean(this.caption);
    if (this.caption) this.page.announce(`${this.name}:`, sentence);
    else this.page.announcer.finished(false, `${this.name}:`, sentence);
  }

  // The server takes no more photos before `until`, a date: then the queue sends this one by itself.
  showWait(until) {
    this.showSections("error");
    const time = until.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
    const sentence = text("waits", { time });
    this.find(".error p").textContent = sentence;
    this.find(".again").hidden = true;
    this.find(".error .remove").hidden = false;
    if (document.getElementById("live").textContent.trim() !== sentence) this.page.announce(sentence); // once for all
  }

  showPhoto(url) {
    this.find(".gone").hidden = Boolean(url) || !this.caption;
    const picture = this.find(".picture");
    picture.hidden = this.find(".backdrop").hidden = !url;
    if (url && picture.getAttribute("src") !== url) picture.src = url;
  }

  // The browser cannot decode the file, such as HEIC: show the JPEG of the server instead.
  onUndecodable() {
    this.preview = null;
    this.showPhoto(this.caption?.photo === this.find(".picture").getAttribute("src") ? null : this.caption?.photo);
  }

  // Shows the attention map of a word, by its index; null hides it.
  showAttention(word) {
    const picture = this.find(".picture");
    const visible = word !== null && Boolean(this.caption?.attention) && picture.naturalWidth > 0;
    this.find(".heat").classList.toggle("on", visible);
    if (visible) drawAttention(this.find(".heat"), picture, this.caption.attention, word);
  }
}

// A caption for the live region: its label, if it has one, and its text with its language.
export const spoken = (caption) => [caption.label, { text: caption.caption, language: caption.language }];

// The sentence for other apps. What a person wrote has no label.
export const altText = ({ label, alt_text: sentence, correction }) => (label && !correction ? `${label} ${sentence}` : sentence);
