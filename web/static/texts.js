/** Every text of the page, in English. A sentence that a service answers with is its own, and not here. */

const STATES = { correct: "correct", present: "elsewhere", absent: "absent" };

export function plural(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export const TEXTS = {
  menu: "Menu",
  statistics: "Statistics",
  leaderboards: "Leaderboards",
  settings: "Settings",
  account: "Sign in or sign up",
  accountOf: (name) => `Account of ${name}`,
  close: "Close",
  suite: "The suite at work",
  practise: "Practise an earlier puzzle",
  playToday: "Play today's puzzle",
  finishYesterday: "Finish yesterday's puzzle",

  title: (gameId, day) => `Puzzle ${gameId} · ${day}`,
  guesses: "Guesses",
  yourGuess: "Your guess, five letters",
  keyboard: "Keyboard",
  enter: "Enter",
  delete: "Delete the last letter",
  hardMode: "Hard mode",

  loading: "Loading …",
  firstHint: "Type a word of five letters, then Enter.",
  nextGuess: (left) => `${plural(left, "guess", "guesses")} left.`,
  tooShort: "A guess has five letters.",
  sending: "Sending …",
  retryIn: (sentence, seconds) => `${sentence} Your guess is still here; it is sent again in ${seconds} s.`,
  unreachable: "There is no connection.",
  refusedByProxy: (status) =>
    status === 429 ? "Too many requests come from your address." : `The service does not answer now (${status}).`,
  sessionEnded: "You have been signed out. Sign in again; your guess is kept.",
  yesterday: "Yesterday's puzzle can still be finished.",
  midnight: "A new puzzle is there.",
  midnightInPlay: "A new puzzle is there. You may finish this one until the end of today, UTC.",

  row: (guess, letters) =>
    `${guess}: ${letters.map(({ letter, state }) => `${letter} ${STATES[state]}`).join(", ")}`,
  emptyRow: "empty",
  key: (letter, state) => (state ? `${letter}, ${STATES[state]}` : letter),

  won: (guesses) =>
    ["At the first guess!", "Found in 2. Brilliant!", "Found in 3. Splendid!", "Found in 4. Well done!", "Found in 5.",
     "Found in 6. Just in time!"][guesses - 1],
  lost: "Not this time.",
  answer: "The word was",
  waiting: (sentence, seconds) => `${sentence} Trying again in ${seconds} s.`,
};
