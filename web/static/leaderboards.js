/** The dialog of the leaderboards: the top, the rows around oneself, and further pages. */

import { readNextPage, send } from "./api.js";
import { makeChoice, showDialog, tryIn } from "./dialog.js";
import { fill, make, name } from "./dom.js";
import { currentUser } from "./session.js";
import { TEXTS, ordinal } from "./texts.js";

const SCORES = { wins: "wins", streaks: "streak" };
const ROWS = 10;

/** Returns when the dialog is closed. */
export async function open() {
  const place = make("p", { class: "place", "aria-live": "polite" });
  const table = make("div", { class: "scrolling" });
  const pages = make("p", { class: "pages" });
  let board = "wins";
  const show = (query) => tryIn(table, () => drawPage(query));
  const drawPage = async (path) => {
    const { data, headers } = await send("GET", path);
    fill(table, drawTable(board, data.leaders));
    const next = readNextPage(headers);
    fill(pages,
      button(TEXTS.top, () => show(pathOf(board))),
      currentUser() ? button(TEXTS.aroundMe, () => show(pathOf(board, `&around=${currentUser().user_id}`))) : null,
      button(TEXTS.nextPage, () => show(next), !next));
    await drawPlace(place, board, data.players);
  };
  const choose = (chosen) => {
    board = chosen;
    return show(pathOf(board));
  };
  const { closed } = showDialog(TEXTS.leaderboards, makeChoice("board", TEXTS.board, TEXTS.boards, board, choose), place, table, pages);
  await show(pathOf(board));
  await closed;
}

function pathOf(board, query = "") {
  return `/api/stats/leaders/${board}?limit=${ROWS}${query}`;
}

function button(text, onclick, disabled = false) {
  return make("button", { type: "button", class: "secondary", disabled, onclick }, text);
}

function drawTable(board, leaders) {
  return make("table", { class: "leaders" },
    make("thead", {}, make("tr", {},
      make("th", { scope: "col" }, TEXTS.rank), make("th", { scope: "col" }, TEXTS.name), make("th", { scope: "col" }, TEXTS.scores[board]))),
    make("tbody", {}, ...leaders.map((leader) => {
      const isOwn = leader.user_id === currentUser()?.user_id;
      return make("tr", isOwn ? { class: "own", "aria-current": "true" } : {},
        make("td", {}, leader.rank.toLocaleString("en")),
        make("td", {}, name(leader.username ?? TEXTS.unknownPlayer)),
        make("td", {}, leader[SCORES[board]].toLocaleString("en")));
    })));
}

/** "96,449th of 100,001": the player's own place on the board. */
async function drawPlace(place, board, players) {
  if (!currentUser()) {
    place.textContent = TEXTS.playersOnBoard(players);
    return;
  }
  const { data } = await send("GET", `/api/stats/leaders/${board}?limit=1&around=${currentUser().user_id}`);
  const own = data.leaders[0];
  place.textContent = own ? TEXTS.place(ordinal(own.rank), data.players) : TEXTS.notOnBoard;
}
