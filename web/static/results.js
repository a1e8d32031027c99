/** A player's results by day, loaded page by page, the latest first. */

import { readNextPage, send } from "./api.js";
import { dayOf } from "./calendar.js";

const PAGE = 100;

export function loadResults(userId) {
  const byDay = new Map();
  let next = `/api/stats/users/${userId}/games?limit=${PAGE}`;
  const days = () => [...byDay.keys()];
  return {
    hasMore: () => next !== null,
    of: (day) => byDay.get(day),
    newestDay: () => days()[0],
    oldestDay: () => days().at(-1),
    async loadMore() {
      const { data, headers } = await send("GET", next);
      next = readNextPage(headers);
      for (const result of data.games) byDay.set(dayOf(result.game_id), result);
    },
  };
}
