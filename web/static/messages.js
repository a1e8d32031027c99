/** The line above the board, and what a screen reader says. */

import { find } from "./dom.js";

const line = find("message");
const status = find("status");

/** Shows a sentence and announces it to screen readers. `kind` is "error" for a refusal. */
export function say(sentence, kind = "") {
  show(sentence, kind);
  announce(sentence);
}

/** Shows a sentence without announcing it to screen readers: a hint, or a countdown. */
export function show(sentence, kind = "") {
  line.textContent = sentence;
  line.className = kind;
}

/** Announces to screen readers what the page shows in another way. */
export function announce(sentence) {
  status.textContent = sentence;
}
