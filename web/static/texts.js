/**
 * Every text of the pages, in English, but for what the HTML says without scripts. A sentence that a service answers with
 * is its own, and not here.
 */

const STATES = { correct: "correct", present: "elsewhere", absent: "absent" };

export function plural(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** "1st", "22nd", "96,449th". */
export function ordinal(number) {
  const endings = { one: "st", two: "nd", few: "rd", other: "th" };
  return number.toLocaleString("en") + endings[new Intl.PluralRules("en", { type: "ordinal" }).select(number)];
}

function formatWait({ hours, minutes }) {
  if (hours === 0) return plural(minutes, "minute", "minutes");
  return minutes === 0 ? plural(hours, "hour", "hours") : `${hours} h ${minutes} min`;
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

  // ---- Practice, the result and the dialogs

  practiceTitle: (gameId, day) => `Practice: puzzle ${gameId} · ${day}`,
  practiceFirstGuess: "An earlier puzzle, without an account: nothing of it counts.",
  notAWord: "This word is not in the dictionary; no attempt is used.",

  better: (percent, day) => `Better than ${percent} % of ${day}'s players.`,
  firstToFinish: "You are the first to finish this puzzle.",
  played: "played",
  winPercentage: "won, %",
  currentStreak: "streak",
  maxStreak: "longest",
  share: "Share",
  shared: "Shared.",
  copied: "Copied. Paste it where your friends are.",
  copyThis: "Copy this text:",
  nextPuzzle: (time, wait) => `The next puzzle comes at ${time} your time, in ${formatWait(wait)}.`,
  notCounted: (reason) => `This result does not count: ${reason}`,

  againIn: (sentence, seconds) => `${sentence} Try again in ${seconds} s.`,

  signUp: "Sign up",
  signIn: "Sign in",
  signOut: "Sign out",
  yourAccount: "Your account",
  signedInAs: "Signed in as",
  signUpToSend: (guess) => `A name and a password, nothing else. Then your guess ${guess.toUpperCase()} is sent.`,
  signUpToPlay: "A name and a password, nothing else. Your statistics are then yours on every device.",
  haveAccount: "Have you played before?",
  noAccount: "New here?",
  oldPlayers: "Did you play before there were passwords? The operator of this site gives you a first one.",
  name: "Name",
  nameHint: "3 to 32 letters a-z, digits, _ . or -",
  password: "Password",
  yourPassword: "Your password",
  oldPassword: "Old password",
  newPasswordHint: "8 characters or more",
  changePassword: "Change password",
  deleteAccount: "Delete account",
  deleteWarning: "This cannot be undone. Your results stay on the leaderboards, without your name.",
  deleteForGood: "Delete for good",

  tryAgain: "Try again",
  statisticsNeedAccount: "Statistics begin with your first finished puzzle. Sign up by playing it: type a guess.",
  noStatistics: "Nothing yet: your statistics begin with your first finished puzzle.",
  distribution: "Guesses",
  fail: "lost",
  calendar: "Your games",
  monthBefore: "The month before",
  monthAfter: "The month after",
  weekdays: [["M", "Monday"], ["T", "Tuesday"], ["W", "Wednesday"], ["T", "Thursday"], ["F", "Friday"], ["S", "Saturday"],
    ["S", "Sunday"]],
  wonIn: (guesses) => `found in ${guesses}`,
  lostIt: "not found",
  pastGame: (gameId, how) => `Puzzle ${gameId}: ${how}`,
  playedElsewhere: "The guesses of this game are not stored here.",
  howItWent: (players) => `How it went for ${plural(players, "player", "players")}`,

  board: "Board",
  boards: { wins: "won games", streaks: "longest streak" },
  scores: { wins: "Won", streaks: "Days" },
  rank: "Rank",
  unknownPlayer: "unknown player",
  top: "Top",
  aroundMe: "Around me",
  nextPage: "Next page",
  place: (rank, players) => `You are ${rank}${players === undefined ? "" : ` of ${players.toLocaleString("en")}`}.`,
  playersOnBoard: (players) => (players === undefined ? "" : `${plural(players, "player", "players")}.`),
  notOnBoard: "You are on the board from your first finished puzzle on.",

  theme: "Colours",
  themes: { system: "as the system", light: "light", dark: "dark" },
  highContrast: "High contrast: orange and blue",
  settingsAreKept: "Kept in this browser. Motion follows your system's setting.",
  howToPlay: "How to play",
  rules: [
    "Find the word in six guesses. Every guess is a word of five letters.",
    "Green with a bar: the letter is in its place. Gold with dots: it is elsewhere in the word. Grey: it is not in it.",
    "In hard mode every hint has to be used in every later guess; it is chosen before the first one.",
    "There is one puzzle a day, the same for all players. The next one comes at midnight UTC.",
  ],

  // ---- The page /suite

  suiteTitle: "The suite at work",
  follow: "One request, followed",
  followHint: "Send one here, or play in another tab of this browser: each guess appears here.",
  lastGuessHint: "A guess goes to games, which asks words whether it is in the dictionary, unless it may be an answer. Only "
    + "the last guess of a play goes on to stats, which stores the result in the player's shard and reads the statistics from the shards.",
  examples: { words: "Look up a word", check: "Check a guess", statistics: "A player's statistics", around: "Around a player" },
  logLines: (instance) => `Answered by ${instance}. Its lines in the log of each service:`,
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
  missed: (answers) => `None of the last ${answers} answers.`,
  stopInstance: "Stop it",
  goToFolder: "In a terminal of the machine that runs the suite, as the user who started it: go to the folder of Quintet",
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
