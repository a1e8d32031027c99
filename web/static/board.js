/** The board: six rows of five tiles, drawn over the field in which the guess is typed. */

import { find } from "./dom.js";
import { TEXTS } from "./texts.js";

const list = find("board");
const rows = [...list.children].map((item) => ({
  item,
  sentence: item.querySelector(".hidden"),
  tiles: [...item.querySelectorAll("i")],
}));

/** Draws all guesses at once, without a turn: { guess, letters: [{ letter, state }] } each. */
export function drawGuesses(guesses) {
  rows.forEach((row, index) => drawRow(row, guesses[index]));
}

function drawRow({ item, sentence, tiles }, guess) {
  item.className = "";
  sentence.textContent = guess ? TEXTS.row(guess.guess, guess.letters) : TEXTS.emptyRow;
  tiles.forEach((tile, index) => {
    const { letter = "", state = "" } = guess?.letters[index] ?? {};
    tile.textContent = letter;
    tile.dataset.state = state;
  });
}

/** Draws a guess whose tiles turn one after the other; returns when the last one lies. */
export async function revealGuess(number, guess) {
  const row = rows[number];
  drawRow(row, guess);
  row.item.classList.add("turning");
  await animationsEnd(row.item);
  row.item.classList.remove("turning");
}

/** Draws what is being typed into the row of the next guess. */
export function drawTyped(number, letters) {
  const row = rows[number];
  if (!row) return;
  row.tiles.forEach((tile, index) => {
    tile.textContent = letters[index] ?? "";
    tile.dataset.state = letters[index] ? "typed" : "";
  });
}

/** Shakes the row of a guess that was refused. */
export async function shake(number) {
  const { item } = rows[number];
  item.classList.add("refused");
  await animationsEnd(item);
  item.classList.remove("refused");
}

/** Of an element and all in it; at once where the player wants no motion. */
async function animationsEnd(element) {
  await Promise.allSettled(element.getAnimations({ subtree: true }).map((animation) => animation.finished));
}

