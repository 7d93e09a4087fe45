// What is kept and for how long, the consent to training, and forgetting it all.

import { call } from "/static/api.js";
import { text } from "/static/texts.js";

const byId = (id) => document.getElementById(id);
const days = (count) => (count % 1 ? text("hours", { count: 24 * count }) : text("days", { count }));

// page: what cards share, see app.js. Returns what the server knows of this person.
export async function startPrivacy(page) {
  const dialog = byId("privacy");
  const switched = byId("consent");
  byId("open-privacy").addEventListener("click", () => {
    byId("privacy-said").textContent = "";
    dialog.showModal();
  });
  byId("close-privacy").addEventListener("click", () => dialog.close());

  switched.addEventListener("change", () =>
    attempt(async () => {
      await consent(switched.checked);
      return text(switched.checked ? "switched_on" : "switched_off");
    }),
  );

  byId("forget").addEventListener("click", () =>
    attempt(async () => {
      if (!(await page.confirm(text("forget_ask"), text("forget_what"), text("forget_yes")))) return "";
      await call("DELETE", "/api/me");
      location.reload();
      return text("removed");
    }),
  );

  async function attempt(act) {
    try {
      byId("privacy-said").textContent = await act();
    } catch (error) {
      byId("privacy-said").textContent = error.message;
      switched.checked = me.consent === true;
    }
  }

  const me = await call("GET", "/api/me");
  switched.checked = me.consent === true;
  const [time, longer] = [days(me.retention_hours / 24), days(me.feedback_retention_days)];
  byId("kept").textContent = text("stays_for", { time });
  byId("retention").textContent = text("retention", { time, longer });
  byId("limits").textContent = text("formats_and_size", { megabytes: Math.floor(me.max_photo_bytes / 1e6) });
  return me;
}

export async function consent(agreed) {
  await call("PUT", "/api/me/consent", { agreed });
  byId("consent").checked = agreed;
}
