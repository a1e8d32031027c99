/** Today's puzzle, played for real: its state is the games service's, on every device the same. */

import { send } from "./api.js";
import { currentUser, sendAsPlayer } from "./session.js";

export const isPractice = false;

/** A play that was not begun. */
export const NEW_PLAY = { status: "new", hard: false, guesses: [], answer: null };

/** { game_id, date, ends_at }; its number changes at midnight UTC. */
export async function readGame() {
  return (await send("GET", "/api/games/today", { fresh: true })).data;
}

/** The state of the player's play; of a visitor's a new one. */
export async function readPlay(game) {
  return currentUser() ? (await sendAsPlayer("GET", pathOf(game), { fresh: true })).data : NEW_PLAY;
}

/**
 * The state after the guess. A play begins with its first guess, since `hard` cannot be changed after that. Safe to
 * send again: PUT changes nothing the second time, nor does the same guess for the same attempt.
 */
export async function sendGuess(game, play, guess, { hard }) {
  if (play.status === "new") await sendAsPlayer("PUT", pathOf(game), { body: { hard } });
  const body = { attempt: play.guesses.length + 1, guess };
  return (await sendAsPlayer("POST", `${pathOf(game)}/guesses`, { body })).data;
}

function pathOf(game) {
  return `/api/games/${game.game_id}/plays/${currentUser().user_id}`;
}
