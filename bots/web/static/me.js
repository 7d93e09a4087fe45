// What the server knows about the person at this browser.

import { call } from "./api.js";

let loading = null;

// Returns the response of /api/me, asked for once. After a failure the next call asks again.
export function loadMe() {
  loading ??= call("GET", "/api/me").catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}
