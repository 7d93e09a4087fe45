// The server's JSON API. Every failure is an ApiError whose message can be shown to the person.

import { text } from "/static/texts.js";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: the server was not reached
    this.mayPass = status === 0 || status === 429 || status >= 500; // trying again later makes sense
  }
}

// answer: the body; without a sentence of ours in it, such as a proxy's page, we say one.
function failure(status, answer) {
  try {
    return new ApiError(status, JSON.parse(answer).detail);
  } catch {
    return new ApiError(status, text("broken"));
  }
}

export async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  let answer;
  try {
    response = await fetch(path, options);
    answer = await response.text();
  } catch {
    throw new ApiError(0, text("unreached"));
  }
  if (!response.ok) throw failure(response.status, answer);
  return answer ? JSON.parse(answer) : null;
}

// XMLHttpRequest, because fetch does not tell how much of an upload is done. `key` makes a second try harmless.
export function upload(file, key, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("photo", file);
    const request = new XMLHttpRequest();
    request.open("POST", "/api/captions");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 400) reject(failure(request.status, request.responseText));
      else resolve(JSON.parse(request.responseText));
    };
    request.onerror = () => reject(new ApiError(0, text("unreached")));
    request.send(form);
  });
}

const AGAIN = 5000; // milliseconds until a stream that ended is opened again

// One stream for all captions on the way: browsers allow few connections to a server.
export class Watcher {
  constructor(onCaption) {
    this.onCaption = onCaption;
    this.ids = new Set();
    this.stream = null;
    this.reopening = 0;
  }

  add(id) {
    this.ids.add(id);
    this.reopen();
  }

  drop(id) {
    if (this.ids.delete(id)) this.reopen();
  }

  // A moment later, so that ten photos at once open one stream and not ten.
  reopen() {
    clearTimeout(this.reopening);
    this.reopening = setTimeout(() => this.open(), 30);
  }

  open() {
    this.stream?.close();
    this.stream = null;
    if (!this.ids.size) return;
    const query = new URLSearchParams([...this.ids].slice(0, 100).map((id) => ["id", id]));
    const stream = (this.stream = new EventSource(`/api/events?${query}`));
    stream.addEventListener("caption", (event) => {
      const caption = JSON.parse(event.data);
      if (this.ids.delete(caption.id)) this.onCaption(caption); // a stream that broke off tells it all again
    });
    // The server ends a stream that is old. What another tab removed is still waited for then, in vain: no hurry.
    const later = () => {
      stream.close();
      setTimeout(() => this.reopen(), AGAIN);
    };
    stream.addEventListener("end", later);
    // After an answer such as 503 a browser gives up; we do not.
    stream.onerror = () => stream.readyState === EventSource.CLOSED && later();
  }
}
