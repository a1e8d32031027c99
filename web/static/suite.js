/** The page /suite: the suite itself at work, as a teacher would show it. It needs no rights and stops while hidden. */

import { Refused, Unreachable, listenToRequests, send } from "./api.js";
import { drawAnswers } from "./answers.js";
import { BURST, count } from "./burst.js";
import { fill, fillTexts, find, make, name } from "./dom.js";
import { drawPlayer } from "./player.js";
import { shardOf } from "./shards.js";
import { TEXTS } from "./texts.js";
import { drawWaterfall } from "./waterfall.js";

const LIVE_MS = 250;
const BOARDS_MS = 5000;
const EXAMPLES = {
  words: () => ({ method: "POST", path: "/api/words/lookups", body: { words: ["crane"] } }),
  check: () => ({ method: "POST", path: "/api/games/1/check", body: { guess: "crane" } }),
  statistics: (leader) => ({ method: "GET", path: `/api/stats/users/${leader}` }),
  around: (leader) => ({ method: "GET", path: `/api/stats/leaders/wins?around=${leader}&limit=5` }),
};

const tally = new Map();
let failures = 0;
let timer = null;
let shards = [];
let leader = "";

async function start() {
  fillTexts(document, TEXTS);
  listenToRequests((request) => drawWaterfall(find("waterfall"), request));
  fill(find("examples"), ...Object.entries(EXAMPLES).map(([key, example]) =>
    button(TEXTS.examples[key], () => attempt(() => sendExample(example(leader))))));
  document.querySelector("main").classList.add("ready");
  find("burst").addEventListener("click", () => Promise.all(Array.from({ length: BURST }, ask)));
  find("live").addEventListener("change", runWhileVisible);
  find("reset").addEventListener("click", reset);
  find("who").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => drawPlayer(find("player"), find("username").value, shards));
  });
  document.addEventListener("visibilitychange", runWhileVisible);
  await attempt(async () => {
    shards = (await send("GET", "/api/stats/shards", { isShown: false })).data.shards;
    await drawBoards();
    find("username").value = find("boards").querySelector("bdi")?.textContent ?? "";
  });
  setInterval(() => document.hidden || attempt(drawBoards), BOARDS_MS);
  reset();
}

function sendExample({ method, path, body }) {
  return send(method, path, { body, fresh: true });
}

/** A small request to stats, of which there are several instances. */
async function ask() {
  const began = performance.now();
  try {
    const { headers } = await send("GET", "/api/stats/shards", { fresh: true, isShown: false });
    count(tally, { instance: headers.get("X-Served-By"), ms: performance.now() - began });
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    failures += 1;
  }
  drawAnswers(find("answers"), tally, failures);
}

function runWhileVisible() {
  clearInterval(timer);
  if (find("live").checked && !document.hidden) timer = setInterval(ask, LIVE_MS);
}

function reset() {
  tally.clear();
  failures = 0;
  drawAnswers(find("answers"), tally, failures);
}

async function drawBoards() {
  const boards = await Promise.all(["wins", "streaks"].map((board) => send("GET", `/api/stats/leaders/${board}?limit=5`, { isShown: false })));
  leader = boards[0].data.leaders[0]?.user_id ?? "";
  fill(find("boards"), ...boards.map(({ data }, index) => drawBoard(["wins", "streaks"][index], data.leaders)));
}

function drawBoard(board, leaders) {
  return make("table", { class: "leaders" }, make("caption", {}, TEXTS.boards[board]),
    make("thead", {}, make("tr", {}, ...[TEXTS.rank, TEXTS.name, TEXTS.scores[board], TEXTS.database].map((text) =>
      make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...leaders.map((row) => make("tr", {},
      make("td", {}, row.rank.toLocaleString("en")),
      make("td", {}, name(row.username ?? TEXTS.unknownPlayer)),
      make("td", {}, (row.wins ?? row.streak).toLocaleString("en")),
      make("td", {}, make("code", {}, shards[shardOf(row.user_id, shards.length)]))))));
}

async function attempt(act) {
  find("alert").textContent = "";
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
    find("alert").textContent = error.message;
  }
}

function button(text, onclick) {
  return make("button", { type: "button", class: "secondary", onclick }, text);
}

await start();
