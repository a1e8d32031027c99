/** The four numbers of a player's statistics. */

import { make } from "./dom.js";
import { TEXTS } from "./texts.js";

export function drawNumbers(statistics) {
  const numbers = {
    played: statistics.gamesPlayed,
    winPercentage: statistics.winPercentage,
    currentStreak: statistics.currentStreak,
    maxStreak: statistics.maxStreak,
  };
  return make("dl", { class: "numbers" }, ...Object.entries(numbers).map(([text, number]) =>
    make("div", {}, make("dt", {}, TEXTS[text]), make("dd", {}, number.toLocaleString("en")))));
}
