/** Every text of the page /suite, in English. */

import { TEXTS } from "./more_texts.js";
import { plural } from "./texts.js";

export const SUITE_TEXTS = {
  ...TEXTS,
  suiteTitle: "The suite at work",
  follow: "One request, followed",
  followHint: "Send one here, or play in another tab of this browser: each guess appears here.",
  examples: { words: "Look up a word", check: "Check a guess", statistics: "A player's statistics", around: "Around a player" },
  logLines: (instance) => `Answered by ${instance}. Its lines in the log of every service:`,
  noTiming: "This answer does not say how its time was spent.",
  part: (part, kind, name) => {
    if (name === "browser") return "browser";
    if (kind === "service") return `call to ${part}`;
    return kind === "database" ? `${part}.db` : kind;
  },
  whoAnswered: "Who answered",
  whoHint: "Traefik gives each request to the next instance of stats. Stop one, and watch the others take over.",
  burst: "Send 12 requests",
  live: "Four a second",
  reset: "Start again",
  answered: (answers, requests) => `${answers} of ${plural(requests, "request", "requests")} answered.`,
  slowest: (ms) => `slowest ${ms.toFixed(0)} ms`,
  stopInstance: "Stop it",
  freeze: "Freeze it",
  resume: "Let it go on",
  kill: "Kill it; its supervisor starts it again",
  whereLives: "Where a player lives",
  whereHint: "All games of a player are in one database: the id, a number of 128 bits, modulo the number of databases.",
  find: "Find",
  hasTheId: "has the id",
  asNumber: "as a number:",
  livesIn: "so all games are in",
  noSuchPlayer: "There is no player of this name.",
  suiteBoards: "The boards, with the database of each row",
  database: "Database",
  swagger: "Swagger",
  swaggerHint: "Every request with its fields, examples and errors, ready to be tried out:",
};
