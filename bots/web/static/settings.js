// The settings dialog: how photos are described, and which other browsers show the same list.

import { call } from "./api.js";
import { attempts } from "./attempt.js";
import { copyText } from "./clipboard.js";
import { text } from "./i18n.js";
import { loadMe } from "./me.js";

const byId = (id) => document.getElementById(id);
const dialog = byId("settings");
const date = (iso) => new Date(iso).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

// The dialog opens at once, also while the server is slow or away; its choices can be changed once they are known.
export function startSettings() {
  const choices = [...dialog.querySelectorAll("[type=radio]")];
  const attempt = attempts(byId("settings-status"), check);
  let me = null;
  for (const choice of choices) {
    choice.addEventListener("change", () =>
      attempt(async () => {
        Object.assign(me, await call("PUT", "/api/me/preferences", { [choice.name]: choice.value }));
        return text("chosen");
      }),
    );
  }
  byId("open-settings").addEventListener("click", () => {
    byId("link-made").hidden = true;
    dialog.showModal();
    attempt(async () => {
      me = await loadMe();
      for (const fields of dialog.querySelectorAll("fieldset")) fields.disabled = false;
      check();
      await showDevices();
    });
  });
  byId("close-settings").addEventListener("click", () => dialog.close());
  byId("new-link").addEventListener("click", () => attempt(makeLink));
  byId("link").addEventListener("focus", (event) => event.target.select());

  function check() {
    for (const choice of choices) choice.checked = choice.value === me?.[choice.name];
  }

  async function makeLink() {
    const { path } = await call("POST", "/api/me/link");
    byId("link").value = new URL(path, location).href;
    byId("link-made").hidden = false;
    await showDevices();
    byId("link").focus();
    const copied = await copyText(byId("link").value).then(() => true, () => false); // a browser may forbid it
    return copied ? text("link_copied") : "";
  }

  async function showDevices() {
    const { devices } = await call("GET", "/api/me/devices");
    const count = devices.filter((device) => device.joined_at).length;
    byId("device-count").hidden = count === 0;
    byId("device-count").textContent = text("device_count", { count });
    byId("devices").replaceChildren(...devices.map(line));
  }

  function line(device) {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.id = `device-${device.id}`;
    name.textContent = device.joined_at ? text(device.this ? "device_this" : "device", { date: date(device.joined_at) }) : text("link_open");
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", id: `remove-${device.id}`, textContent: text("device_remove") });
    button.setAttribute("aria-labelledby", `${button.id} ${name.id}`);
    button.addEventListener("click", () =>
      attempt(async () => {
        await call("DELETE", `/api/me/devices/${device.id}`);
        if (device.this) return location.reload();
        if (!device.joined_at) byId("link-made").hidden = true;
        await showDevices();
        byId("new-link").focus();
        return text("device_removed");
      }),
    );
    item.append(name, button);
    return item;
  }
}
