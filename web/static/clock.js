/** The time, by the server's clock: a player's may be wrong, and the next puzzle comes by the server's. */

let aheadMs = 0;

/** Learns the time from the header `Date` of an answer that did not come from a cache. */
export function setClock(date) {
  const now = Date.parse(date ?? "");
  if (!Number.isNaN(now)) aheadMs = now - Date.now();
}

/** Milliseconds since 1970. */
export function serverNow() {
  return Date.now() + aheadMs;
}
