/** The line above the board, and what a screen reader says. */

import { find } from "./dom.js";

const line = find("message");
const status = find("status");

/** Shows a sentence and has it spoken. `kind` is "error" for a refusal. */
export function say(sentence, kind = "") {
  show(sentence, kind);
  announce(sentence);
}

/** Shows a sentence that nobody has to hear: a hint, or a countdown. */
export function show(sentence, kind = "") {
  line.textContent = sentence;
  line.className = kind;
}

/** Has a sentence spoken that the page shows in another way. */
export function announce(sentence) {
  status.textContent = sentence;
}
