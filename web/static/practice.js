/** Practice of an earlier puzzle, whose plays are closed, without an account: guesses are stored in this browser only. */

import { Refused, send } from "./api.js";
import { readEarlierGame } from "./earlier.js";
import { GUESSES } from "./letters.js";
import { readStored, store } from "./storage.js";
import { TEXTS } from "./texts.js";

export const isPractice = true;
export const title = TEXTS.practiceTitle;
export const firstHint = TEXTS.practiceFirstGuess;

const KEY = "practice";
const CLOSED_AFTER_DAYS = 2;

/** The newest puzzle that is closed: the one of the day before yesterday. */
export function readGame() {
  return readEarlierGame(CLOSED_AFTER_DAYS);
}

/** The stored guesses, unless they are of another puzzle. */
export async function readPlay(game) {
  const stored = readStored(KEY);
  return toPlay(game, stored?.game_id === game.game_id ? stored.guesses : []);
}

/** The state after the guess. No service stores it. */
export async function sendGuess(game, play, guess) {
  const [{ data: checked }, { data: lookup }] = await Promise.all([
    send("POST", `/api/games/${game.game_id}/check`, { body: { guess } }),
    send("POST", "/api/words/lookups", { body: { words: [guess] } }),
  ]);
  if (!checked.correct && !lookup.known.includes(guess)) {
    throw new Refused(TEXTS.notAWord, { status: 422, type: "not-a-word" });
  }
  const after = toPlay(game, [...play.guesses, { guess, letters: checked.letters }]);
  store(KEY, { game_id: game.game_id, guesses: after.guesses });
  return after;
}

function toPlay(game, guesses) {
  const isWon = guesses.at(-1)?.letters.every(({ state }) => state === "correct") ?? false;
  const isLost = !isWon && guesses.length === GUESSES;
  const status = isWon ? "won" : isLost ? "lost" : guesses.length ? "in-progress" : "new";
  return { game_id: game.game_id, status, hard: false, guesses, answer: isWon || isLost ? game.answer : null };
}
