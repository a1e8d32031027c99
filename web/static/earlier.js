/** Puzzles of earlier days. */

import { send } from "./api.js";
import { readGame } from "./today.js";

/** The puzzle of as many days ago, UTC: { game_id, date, ends_at, answer }, whose answer is null until it is closed. */
export async function readEarlierGame(days) {
  const today = await readGame();
  return (await send("GET", `/api/games/${today.game_id - days}`)).data;
}
