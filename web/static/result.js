/** What stands below the board when a play is over. */

import { Refused, Unreachable, send, serverNow } from "./api.js";
import { describeRank } from "./better.js";
import { fill, make } from "./dom.js";
import { announce } from "./messages.js";
import "./more_styles.js";
import { TEXTS } from "./texts.js";
import { drawNumbers } from "./numbers.js";
import { currentUser } from "./session.js";
import { drawGrid, share } from "./share.js";
import { readStored, store } from "./storage.js";
import { splitWait, toLocalTime } from "./wait.js";

const KEY = "distribution";
const REDRAW_MS = 15_000;
let timer = null;

/** Fills the section; statistics are left out in practice, and where the stats service does not answer. */
export async function drawOutcome(section, { play, game, isPractice }) {
  const statistics = isPractice ? null : play.statistics ?? await readStatistics();
  const day = Date.parse(game.ends_at) > serverNow() ? "today" : "yesterday";
  const rank = isPractice ? null : describeRank(play, readDistribution(play), day);
  fill(section,
    make("h2", {}, play.status === "won" ? TEXTS.won(play.guesses.length) : TEXTS.lost),
    make("p", { class: "answer" }, `${TEXTS.answer} `, make("strong", { class: "word" }, play.answer)),
    rank ? make("p", { class: "better" }, rank) : null,
    play.result_refused ? make("p", { class: "error" }, TEXTS.notCounted(play.result_refused)) : null,
    statistics ? drawNumbers(statistics) : null,
    drawShare(play),
    isPractice ? make("p", {}, make("a", { href: "/" }, TEXTS.playToday)) : drawNextPuzzle(game));
  section.hidden = false;
}

/**
 * Today's distribution comes with the answer to the last guess only, since it would help players who have not finished. It
 * is stored in the browser for a reload.
 */
function readDistribution(play) {
  if (play.distribution) store(KEY, play.distribution);
  const stored = readStored(KEY);
  return stored?.game_id === play.game_id ? stored : null;
}

async function readStatistics() {
  try {
    return (await send("GET", `/api/stats/users/${currentUser().user_id}`)).data;
  } catch (error) {
    if (error instanceof Refused || error instanceof Unreachable) return null;
    throw error;
  }
}

function drawShare(play) {
  const outcome = make("p", { class: "outcome" });
  const copy = make("textarea", { readonly: true, hidden: true, rows: "8", "aria-label": TEXTS.copyThis });
  const press = async () => {
    const text = drawGrid(play);
    const how = await share(text);
    outcome.textContent = how === "shown" ? TEXTS.copyThis : TEXTS[how];
    announce(outcome.textContent);
    copy.hidden = how !== "shown";
    if (how === "shown") {
      copy.value = text;
      copy.select();
    }
  };
  return make("div", { class: "share" },
    make("button", { type: "button", class: "primary", onclick: press }, TEXTS.share), outcome, copy);
}

/** "The next puzzle comes at 02:00 your time", by the server's clock. */
function drawNextPuzzle(game) {
  const line = make("p", { class: "next" });
  const endsAt = Date.parse(game.ends_at);
  const draw = () => {
    const left = endsAt - serverNow();
    if (left > 0) line.textContent = TEXTS.nextPuzzle(toLocalTime(endsAt), splitWait(left));
    else fill(line, make("a", { href: "/" }, TEXTS.playToday));
  };
  clearInterval(timer);
  timer = setInterval(draw, REDRAW_MS);
  draw();
  return line;
}
