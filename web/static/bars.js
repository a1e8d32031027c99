/** Bars of numbers: how many games were won in 1 to 6 guesses, and lost. */

import { make } from "./dom.js";
import { TEXTS } from "./texts.js";

/** The bar of a result: { won, guesses }. */
export function keyOf(result) {
  return result.won ? String(result.guesses) : "fail";
}

/** `counts`: { 1: …, 6: …, fail: … }; `own` is the key of the player's own result, if there is one. */
export function drawBars(counts, own = null) {
  const keys = ["1", "2", "3", "4", "5", "6", "fail"];
  const most = Math.max(1, ...keys.map((key) => counts[key]));
  return make("table", { class: "bars" }, make("tbody", {}, ...keys.map((key) => {
    const bar = make("span", { class: key === own ? "bar own" : "bar" }, counts[key].toLocaleString("en"));
    bar.style.setProperty("--share", counts[key] / most);
    return make("tr", {}, make("th", { scope: "row" }, key === "fail" ? TEXTS.fail : key), make("td", {}, bar));
  })));
}
