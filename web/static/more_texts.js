/** The texts of the result and of the dialogs, which come when they are needed. */

import { TEXTS as FIRST_TEXTS, plural } from "./texts.js";

/** "1st", "22nd", "96,449th". */
export function ordinal(number) {
  const endings = { one: "st", two: "nd", few: "rd", other: "th" };
  return number.toLocaleString("en") + endings[new Intl.PluralRules("en", { type: "ordinal" }).select(number)];
}

function waiting({ hours, minutes }) {
  if (hours === 0) return plural(minutes, "minute", "minutes");
  return minutes === 0 ? plural(hours, "hour", "hours") : `${hours} h ${minutes} min`;
}

export const TEXTS = {
  ...FIRST_TEXTS,

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
  nextPuzzle: (time, wait) => `The next puzzle comes at ${time} your time, in ${waiting(wait)}.`,
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
};
