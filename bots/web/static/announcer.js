// What screen readers are told about photos. One photo: its caption. Many at once: how many are described so far.

import { text } from "./i18n.js";

const PAUSE = 5000; // milliseconds between two counts

export class Announcer {
  // live: the live region. Each message is an element, with the language of its own.
  constructor(live) {
    this.live = live;
    this.startBatch(0);
  }

  // parts: texts of the page, or {text, language} for a caption. The same text again is ignored by screen readers, so
  // it alternates with a space at its end.
  say(...parts) {
    const before = this.live.textContent;
    const spans = parts.filter(Boolean).map((part) => {
      const span = document.createElement("span");
      span.textContent = `${part.text ?? part} `;
      if (part.language) span.lang = part.language;
      return span;
    });
    this.live.replaceChildren(...spans);
    if (this.live.textContent === before) this.live.append("\u00a0");
  }

  // Photos were added: they are counted from now on, together with those that still wait.
  startBatch(count) {
    const waiting = this.total ? this.total - this.described - this.failed : 0;
    Object.assign(this, { total: waiting + count, described: 0, failed: 0, lastCount: 0 });
    clearTimeout(this.timer);
    if (count) this.say(text("on_the_way", { count }));
  }

  // A photo of the batch is described or has failed. parts: what is said if it is the only one.
  finished(ok, ...parts) {
    if (this.total < 2) {
      this.total = 0;
      return this.say(...parts);
    }
    if (ok) this.described++;
    else this.failed++;
    clearTimeout(this.timer);
    const wait = this.described + this.failed < this.total ? this.lastCount + PAUSE - Date.now() : 0;
    if (wait > 0) this.timer = setTimeout(() => this.count(), wait);
    else this.count();
  }

  count() {
    this.lastCount = Date.now();
    const { described, failed, total } = this;
    if (described + failed === total) this.total = 0;
    this.say(text("described", { count: described, total }), failed && text("failed", { count: failed }));
  }
}
