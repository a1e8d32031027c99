/**
 * The field of the guess. It is a real one in a form, drawn over by the tiles of its row, so that screen readers, paste
 * and Enter work as in every form. Letters typed elsewhere on the page go to it.
 */

import { drawTyped } from "./board.js";
import { find } from "./dom.js";
import { LETTERS, toLetters } from "./letters.js";

const form = find("entry");
const field = find("guess");
let row = 0;

/** Calls `submit` with the letters in the field, however many there are. */
export function listenToEntry(submit) {
  field.addEventListener("input", () => setTyped(toLetters(field.value)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(typed());
  });
  document.addEventListener("keydown", (event) => {
    if (isForField(event)) focusEntry();
  });
}

/** Whether a key that is pressed elsewhere is meant for the field; the browser then types it there. */
function isForField({ key, ctrlKey, altKey, metaKey, isComposing, target }) {
  if (ctrlKey || altKey || metaKey || isComposing || form.hidden || document.querySelector("dialog[open]")) return false;
  if (target.closest("input:not([type=checkbox]), textarea, select")) return false;
  return /^[a-z]$/i.test(key) || key === "Backspace" || (key === "Enter" && !target.closest("a, button"));
}

/** Does what a key on the page says: a letter, "enter" or "delete". */
export function press(key) {
  if (form.hidden || field.readOnly) return;
  if (key === "enter") form.requestSubmit();
  else setTyped(key === "delete" ? typed().slice(0, -1) : toLetters(typed() + key));
}

export function typed() {
  return field.value;
}

export function setTyped(letters) {
  field.value = letters.slice(0, LETTERS);
  drawTyped(row, field.value);
}

/** Puts the field over the row of the next guess, which is empty unless something was typed; null takes it away. */
export function placeEntry(number) {
  form.hidden = number === null;
  if (number === null) return;
  row = number;
  form.style.setProperty("--row", number);
  drawTyped(row, field.value);
}

/** While a guess is on its way, its letters stay as they are. */
export function lockEntry(isLocked) {
  field.readOnly = isLocked;
  form.setAttribute("aria-busy", isLocked);
}

export function focusEntry() {
  if (!form.hidden) field.focus({ preventScroll: true });
}
