/** The dialog of a player's statistics: numbers, bars, and a calendar whose days open their results. */

import { send } from "./api.js";
import { drawBars, keyOf } from "./bars.js";
import { addMonths, monthOf, weeksOf } from "./calendar.js";
import { showDialog, tryIn } from "./dialog.js";
import { fill, make } from "./dom.js";
import { drawNumbers } from "./numbers.js";
import { loadResults } from "./results.js";
import { drawGame } from "./past_game.js";
import { currentUser } from "./session.js";
import { TEXTS } from "./texts.js";

/** Returns when the dialog is closed. */
export async function open() {
  const { body, closed } = showDialog(TEXTS.statistics);
  if (!currentUser()) fill(body, make("p", {}, TEXTS.statisticsNeedAccount));
  else await tryIn(body, () => drawStatistics(body));
  await closed;
}

async function drawStatistics(body) {
  const { data: statistics } = await send("GET", `/api/stats/users/${currentUser().user_id}`);
  const results = loadResults(currentUser().user_id);
  await results.loadMore();
  if (statistics.gamesPlayed === 0) return fill(body, make("p", {}, TEXTS.noStatistics));
  const calendar = make("section", { class: "calendar" });
  const details = make("section", { class: "past-game", tabindex: "-1" });
  fill(body, drawNumbers(statistics), make("h3", {}, TEXTS.distribution), drawBars(statistics.guesses, keyOf(results.of(results.newestDay()))), make("h3", {}, TEXTS.calendar), calendar, details);
  return drawMonth(calendar, details, results, monthOf(results.newestDay()));
}

async function drawMonth(calendar, details, results, month) {
  while (results.hasMore() && results.oldestDay() >= `${month}-01`) await results.loadMore();
  const move = (months) => () => tryIn(details, () => drawMonth(calendar, details, results, addMonths(month, months)));
  const arrow = (months, sign, label, isPossible) => make("button", {
    type: "button", class: "icon", "aria-label": label, disabled: !isPossible, onclick: move(months),
  }, sign);
  const title = new Date(`${month}-01T12:00Z`).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
  fill(calendar,
    make("div", { class: "month" },
      arrow(-1, "‹", TEXTS.monthBefore, results.hasMore() || monthOf(results.oldestDay()) < month),
      make("h4", { "aria-live": "polite" }, title),
      arrow(1, "›", TEXTS.monthAfter, month < monthOf(results.newestDay()))),
    make("table", {},
      make("thead", {}, make("tr", {}, ...TEXTS.weekdays.map(([short, long]) => make("th", { scope: "col", abbr: long }, short)))),
      make("tbody", {}, ...weeksOf(month).map((week) =>
        make("tr", {}, ...week.map((day) => make("td", {}, day ? drawDay(day, results.of(day), details) : "")))))));
}

function drawDay(day, result, details) {
  const number = String(Number(day.slice(8)));
  if (!result) return make("span", {}, number);
  const show = () => tryIn(details, async () => {
    await drawGame(details, result);
    details.focus();
  });
  const label = `${number}: ${result.won ? TEXTS.wonIn(result.guesses) : TEXTS.lostIt}`;
  const key = result.won ? String(result.guesses) : "✕";
  return make("button", { type: "button", class: result.won ? "day won" : "day", "aria-label": label, onclick: show },
    make("span", { class: "number" }, number), key);
}

