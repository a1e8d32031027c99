/** The keys on the page, and what is known of their letters. */

import { find } from "./dom.js";
import { TEXTS } from "./texts.js";

const keyboard = find("keyboard");

/** Calls `press` with a letter, "enter" or "delete". */
export function listenToKeys(press) {
  // A key that takes the focus would be pressed again by the next Enter of a real keyboard.
  keyboard.addEventListener("pointerdown", (event) => event.preventDefault());
  keyboard.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (key) press(key.dataset.key);
  });
}

/** `known`: { t: "absent", r: "present" }. */
export function colourKeys(known) {
  for (const key of keyboard.querySelectorAll("[data-key]")) {
    const letter = key.dataset.key;
    if (letter.length > 1) continue;
    key.dataset.state = known[letter] ?? "";
    key.setAttribute("aria-label", TEXTS.key(letter, known[letter]));
  }
}

export function showKeyboard(isShown) {
  keyboard.hidden = !isShown;
}
