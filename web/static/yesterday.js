/** Yesterday's puzzle: who has begun it may finish it until the end of today, UTC. */

import { Refused, Unreachable } from "./api.js";
import { readEarlierGame } from "./earlier.js";
import { SessionEnded } from "./session.js";
import * as today from "./today.js";

export { isPractice, sendGuess } from "./today.js";

export function readGame() {
  return readEarlierGame(1);
}

/** The state of the player's play; today's puzzle comes instead where there is none. */
export async function readPlay(game) {
  const play = await today.readPlay(game);
  if (play.status === "new") location.replace("/");
  return play;
}

/** Whether the player is in the middle of the puzzle of the day before; no, where the service does not say so. */
export async function isUnfinished({ game_id: gameId }) {
  try {
    return (await today.readPlay({ game_id: gameId - 1 })).status === "in-progress";
  } catch (error) {
    if (error instanceof Refused || error instanceof Unreachable || error instanceof SessionEnded) return false;
    throw error;
  }
}
