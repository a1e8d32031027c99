/** One result of the calendar: the guesses, the answer, and how the puzzle went for all. */

import { Refused, send, serverNow } from "./api.js";
import { drawBars, keyOf } from "./bars.js";
import { fill, make } from "./dom.js";
import { currentUser, sendAsPlayer } from "./session.js";
import { TEXTS } from "./texts.js";

/** `result` is as stats stores it: { game_id, won, guesses }. */
export async function drawGame(section, result) {
  const { game_id: gameId } = result;
  const [game, play] = await Promise.all([
    orNull(send("GET", `/api/games/${gameId}`)),
    orNull(sendAsPlayer("GET", `/api/games/${gameId}/plays/${currentUser().user_id}`)),
  ]);
  const isPublic = game !== null && Date.parse(game.ends_at) <= serverNow(); // how it went would help those who still play
  const distribution = isPublic ? await orNull(send("GET", `/api/stats/games/${gameId}`)) : null;
  const answer = play?.answer ?? game?.answer;
  fill(section,
    make("h3", {}, TEXTS.pastGame(gameId, result.won ? TEXTS.wonIn(result.guesses) : TEXTS.lostIt)),
    answer ? make("p", {}, `${TEXTS.answer} `, make("strong", { class: "word" }, answer)) : null,
    play?.guesses.length ? drawSmallBoard(play.guesses) : make("p", { class: "small" }, TEXTS.playedElsewhere),
    distribution ? make("h4", {}, TEXTS.howItWent(distribution.played)) : null,
    distribution ? drawBars(distribution.guesses, keyOf(result)) : null);
}

function drawSmallBoard(guesses) {
  return make("ol", { class: "small-board" }, ...guesses.map(({ guess, letters }) =>
    make("li", {}, make("span", { class: "hidden" }, TEXTS.row(guess, letters)),
      make("span", { class: "tiles", "aria-hidden": "true" }, ...letters.map(({ letter, state }) => make("i", { "data-state": state }, letter))))));
}

/** Null where the service refuses: a puzzle whose answer is still a secret, or one that was played elsewhere. */
async function orNull(sent) {
  try {
    return (await sent).data;
  } catch (error) {
    if (error instanceof Refused && !error.isTemporary) return null;
    throw error;
  }
}
