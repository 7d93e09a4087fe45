// Client of the JSON API. Every failure is an ApiError, whose message can be shown to people.

import { text } from "./i18n.js";

// The page may lie below a path of its host (WEB_ROOT_PATH), so all addresses are relative to this file.
const address = (path) => new URL(`..${path}`, import.meta.url).href;

export class ApiError extends Error {
  // retryAfter: seconds until the server accepts more; only if it said so.
  constructor(status, message, retryAfter = null) {
    super(message);
    this.retryAfter = retryAfter > 0 ? Number(retryAfter) : null;
    this.status = status; // 0: the server was not reached
    this.retryable = status === 0 || status === 429 || status >= 500;
  }
}

// The error of a response. A body that is not ours, such as the error page of a proxy, has no message.
function apiError(status, body, retryAfter) {
  try {
    return new ApiError(status, JSON.parse(body).detail, retryAfter);
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
    response = await fetch(address(path), options);
    answer = await response.text();
  } catch {
    throw new ApiError(0, text("unreached"));
  }
  if (!response.ok) throw apiError(response.status, answer);
  return answer ? JSON.parse(answer) : null;
}

// Uploads a photo. XMLHttpRequest, because fetch does not report the progress of an upload. The server accepts each
// idempotency `key` once, so an upload can be retried. album, position: see gallery.js.
export function upload(file, { key, album, position }, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("photo", file);
    const request = new XMLHttpRequest();
    request.open("POST", address(`/api/captions?${new URLSearchParams({ album, position })}`));
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 400) reject(apiError(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      else resolve(JSON.parse(request.responseText));
    };
    request.onerror = () => reject(new ApiError(0, text("unreached")));
    request.send(form);
  });
}

const REOPEN_DELAY = 5000; // milliseconds after a stream has ended

// Receives captions as they are finished. All share one event stream: browsers limit the connections to a server.
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

  remove(id) {
    if (this.ids.delete(id)) this.reopen();
  }

  // With a short delay, so that ten photos chosen together open one stream and not ten.
  reopen() {
    clearTimeout(this.reopening);
    this.reopening = setTimeout(() => this.open(), 30);
  }

  open() {
    this.stream?.close();
    this.stream = null;
    if (!this.ids.size) return;
    const query = new URLSearchParams([...this.ids].slice(0, 100).map((id) => ["id", id]));
    const stream = (this.stream = new EventSource(address(`/api/events?${query}`)));
    stream.addEventListener("caption", (event) => {
      const caption = JSON.parse(event.data);
      if (this.ids.delete(caption.id)) this.onCaption(caption); // a reconnected stream sends everything again
    });
    // The server closes old streams. A caption that was removed in another tab never comes, so reconnect slowly.
    const reopenLater = () => {
      stream.close();
      setTimeout(() => this.reopen(), REOPEN_DELAY);
    };
    stream.addEventListener("end", reopenLater);
    // Browsers do not reconnect after an error status such as 503.
    stream.onerror = () => stream.readyState === EventSource.CLOSED && reopenLater();
  }
}
