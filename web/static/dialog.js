/** Dialogs: the browser's own, which keep the focus inside and close with Escape. */

import { Refused, Unreachable } from "./api.js";
import { fill, make } from "./dom.js";
import "./more_styles.js";
import { TEXTS } from "./texts.js";
import { SessionEnded } from "./session.js";

/** Shows a dialog with a heading; `closed` is a promise of its end. */
export function showDialog(title, ...content) {
  const heading = make("h2", { id: "dialog-title" }, title);
  const close = make("button", { type: "button", class: "icon close", "aria-label": TEXTS.close, onclick: () => dialog.close() }, "×");
  const body = make("div", { class: "dialog-body" }, ...content);
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, make("div", { class: "dialog-head" }, heading, close), body);
  document.body.append(dialog);
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve();
    });
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  dialog.showModal();
  return { dialog, heading, body, closed };
}

/** The sentence of a dialog that says what went wrong; a screen reader speaks it. */
export function makeAlert() {
  return make("p", { class: "error", role: "alert" });
}

/** Fills a part of a dialog. If a service refuses or does not answer, it shows the reason and a button to try again. */
export async function tryIn(part, draw) {
  try {
    await draw();
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unreachable || error instanceof SessionEnded)) throw error;
    const alert = makeAlert();
    fill(part, alert, make("button", { type: "button", class: "secondary", onclick: () => tryIn(part, draw) }, TEXTS.tryAgain));
    alert.textContent = error.message || TEXTS.sessionEnded;
  }
}

/** Buttons of which one is chosen: `texts` by value. */
export function makeChoice(group, legend, texts, chosen, choose) {
  return make("fieldset", { class: "choice" }, make("legend", {}, legend), ...Object.entries(texts).map(([value, text]) =>
    make("label", {},
      make("input", { type: "radio", name: group, value, checked: value === chosen, onchange: () => choose(value) }),
      make("span", {}, text))));
}
