// Uploads photos one after the other, a few at the same time. What the server refuses for now is sent again by itself.

const MAX_UPLOADS = 2; // at the same time

// Waits longer than this are cut: timers of browsers hold at most 24 days, and the server says again how long.
const MAX_WAIT = 86_400_000; // milliseconds

export class UploadQueue {
  constructor() {
    this.waiting = []; // {send, onWait}
    this.running = 0;
    this.resumeAt = 0;
  }

  // send: an async function; an error with `retryAfter` (seconds) puts it back and stops the queue for so long.
  // onWait(date): called for everything that waits. Returns a function that takes the upload out of the queue.
  add(send, onWait) {
    const upload = { send, onWait };
    this.waiting.push(upload);
    if (this.resumeAt > Date.now()) onWait(new Date(this.resumeAt));
    this.next();
    return () => (this.waiting = this.waiting.filter((other) => other !== upload));
  }

  async next() {
    if (this.running >= MAX_UPLOADS || !this.waiting.length || this.resumeAt > Date.now()) return;
    this.running++;
    const upload = this.waiting.shift();
    try {
      await upload.send();
    } catch (error) {
      this.waiting.unshift(upload);
      this.pause(error.retryAfter);
    }
    this.running--;
    this.next();
  }

  pause(seconds) {
    this.resumeAt = Math.max(this.resumeAt, Date.now() + Math.min(MAX_WAIT, 1000 * seconds));
    for (const { onWait } of this.waiting) onWait(new Date(this.resumeAt));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.resumeAt = 0;
      for (let started = 0; started < MAX_UPLOADS; started++) this.next();
    }, this.resumeAt - Date.now());
  }
}
