/** How a play compares with those of all players who have finished the puzzle: a rule, without the page. */

import { TEXTS } from "./texts.js";

/**
 * The whole percent of the other players who needed more guesses or lost; null if there are none.
 * `counts`: { 1: …, 6: …, fail: … }, the player's own result included.
 */
export function percentWorse(counts, { status, guesses }) {
  const others = Object.values(counts).reduce((sum, count) => sum + count, 0) - 1;
  if (others < 1) return null;
  if (status === "lost") return 0;
  const worse = Object.entries(counts).filter(([key]) => key === "fail" || Number(key) > guesses.length);
  return Math.floor((100 * worse.reduce((sum, [, count]) => sum + count, 0)) / others);
}

/** A sentence; null without a distribution, and if no player did worse. `day` is "today" or "yesterday", the puzzle's. */
export function describeRank(play, distribution, day) {
  if (!distribution) return null;
  const percent = percentWorse(distribution.guesses, play);
  if (percent === null) return TEXTS.firstToFinish;
  return percent > 0 ? TEXTS.better(percent, day) : null;
}
