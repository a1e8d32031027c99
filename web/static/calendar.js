/** The calendar of puzzles: rules, without the page. A day is its "2026-11-26", UTC, and a month its "2026-11". */

const FIRST_DAY = Date.UTC(2021, 5, 19);
const DAY_MS = 86_400_000;

/** The day of a puzzle. */
export function dayOf(gameId) {
  return new Date(FIRST_DAY + gameId * DAY_MS).toISOString().slice(0, 10);
}

export function monthOf(day) {
  return day.slice(0, 7);
}

/** The month before (-1) or after (1). */
export function addMonths(month, number) {
  const [year, index] = month.split("-").map(Number);
  return new Date(Date.UTC(year, index - 1 + number, 1)).toISOString().slice(0, 7);
}

/** The weeks of a month, Monday first: arrays of seven days, with null for those of other months. */
export function weeksOf(month) {
  const [year, index] = month.split("-").map(Number);
  const count = new Date(Date.UTC(year, index, 0)).getUTCDate();
  const before = (new Date(Date.UTC(year, index - 1, 1)).getUTCDay() + 6) % 7;
  const days = [...Array(before).fill(null), ...Array.from({ length: count }, (_, day) => `${month}-${String(day + 1).padStart(2, "0")}`)];
  while (days.length % 7) days.push(null);
  return Array.from({ length: days.length / 7 }, (_, week) => days.slice(7 * week, 7 * week + 7));
}
