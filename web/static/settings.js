/** The dialog of the settings, which are stored in the browser; theme.js applies them before the first paint. */

import { makeChoice, showDialog } from "./dialog.js";
import { make } from "./dom.js";
import { readStored, store } from "./storage.js";
import { TEXTS } from "./texts.js";

const KEY = "settings";

/** Returns when the dialog is closed. */
export async function open() {
  const settings = readStored(KEY) ?? {};
  const change = (changes) => {
    Object.assign(settings, changes);
    store(KEY, settings);
    apply(settings);
  };
  const contrast = make("input", {
    type: "checkbox", role: "switch", checked: settings.contrast === true,
    onchange: (event) => change({ contrast: event.target.checked }),
  });
  const { closed } = showDialog(TEXTS.settings,
    makeChoice("theme", TEXTS.theme, TEXTS.themes, settings.theme ?? "system", (theme) => change({ theme })),
    make("label", { class: "switch" }, contrast, make("span", {}, TEXTS.highContrast)),
    make("p", { class: "small" }, TEXTS.settingsAreKept),
    make("h3", {}, TEXTS.howToPlay),
    ...TEXTS.rules.map((rule) => make("p", {}, rule)));
  await closed;
}

function apply({ theme, contrast }) {
  const { dataset } = document.documentElement;
  if (theme === "dark" || theme === "light") dataset.theme = theme;
  else delete dataset.theme;
  if (contrast) dataset.contrast = "high";
  else delete dataset.contrast;
}
