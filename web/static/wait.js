/** The wait for the next puzzle, in local words: rules, without the page. */

/** "02:00": the local time of a moment in milliseconds since 1970. */
export function toLocalTime(ms) {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(ms));
}

/** Hours and minutes, rounded up, so that the last minute is not "0 min". */
export function splitWait(ms) {
  const minutes = Math.max(0, Math.ceil(ms / 60_000));
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}
