// The privacy dialog: how long photos are stored, the consent to training, and deleting everything.

import { call } from "./api.js";
import { attempts } from "./attempt.js";
import { text } from "./i18n.js";
import { loadMe } from "./me.js";

const byId = (id) => document.getElementById(id);
const days = (count) => (count % 1 ? text("hours", { count: 24 * count }) : text("days", { count }));

// page: shared by all cards, see app.js. The dialog opens at once, also while the server is slow or away.
export function startPrivacy(page) {
  const dialog = byId("privacy");
  const toggle = byId("consent");
  const attempt = attempts(byId("privacy-status"), () => (toggle.checked = me?.consent === true));
  let me = null;
  byId("open-privacy").addEventListener("click", () => {
    dialog.showModal();
    attempt(async () => {
      me = await loadMe();
      showLimits(me);
    });
  });
  byId("close-privacy").addEventListener("click", () => dialog.close());

  toggle.addEventListener("change", () =>
    attempt(async () => {
      await setConsent(toggle.checked);
      return text(toggle.checked ? "switched_on" : "switched_off");
    }),
  );

  byId("forget").addEventListener("click", () =>
    attempt(async () => {
      if (!(await page.confirm(text("forget_ask"), text("forget_what"), text("forget_yes")))) return "";
      const { captions, left } = await call("DELETE", "/api/me");
      page.tellTabs("forgotten");
      for (const card of page.gallery.everyCard) page.gallery.remove(card);
      page.gallery.showAll();
      Object.assign(await loadMe(), { consent: false });
      toggle.checked = false;
      const gone = text("forgotten", { count: captions });
      return left ? `${gone} ${text("forgotten_left", { count: left })}` : gone;
    }),
  );
}

// me: the response of /api/me.
export function showLimits(me) {
  byId("consent").checked = me.consent === true;
  byId("consent").disabled = false;
  const [time, longer] = [days(me.retention_hours / 24), days(me.feedback_retention_days)];
  byId("kept").textContent = text("stays_for", { time });
  byId("retention").textContent = text("retention", { time, longer });
  byId("limits").textContent = text("formats_and_size", { megabytes: Math.floor(me.max_photo_bytes / 1e6) });
}

export async function setConsent(agreed) {
  await call("PUT", "/api/me/consent", { agreed });
  Object.assign(await loadMe(), { consent: agreed });
  byId("consent").checked = agreed;
}
