/** The page to play on: brings the board, the field, the keys and the services together. */

import { Refused, serverNow } from "./api.js";
import { drawGuesses, revealGuess, shake } from "./board.js";
import { deliver, hurryUp } from "./delivery.js";
import { fillTexts, find } from "./dom.js";
import { focusEntry, listenToEntry, lockEntry, placeEntry, press, setTyped, typed } from "./entry.js";
import { colourKeys, listenToKeys, showKeyboard } from "./keyboard.js";
import { GUESSES, LETTERS, knownLetters } from "./letters.js";
import { announce, say, show } from "./messages.js";
import { SessionEnded, currentUser, listenToOtherTabs, restore } from "./session.js";
import { TEXTS } from "./texts.js";
import * as today from "./today.js";

const OTHER_MODES = { "/practice": () => import("./practice.js"), "/yesterday": () => import("./yesterday.js") };
const mode = (await OTHER_MODES[location.pathname]?.()) ?? today;
/** Modules of dialogs come when they are first opened. */
const DIALOGS = {
  statistics: () => import("./statistics.js"),
  leaderboards: () => import("./leaderboards.js"),
  settings: () => import("./settings.js"),
  account: () => import("./account.js"),
};
/** Problems after which the play has to be read again: it went on in another tab or on another device. */
const OUT_OF_DATE = ["attempt-taken", "attempt-skipped", "play-over", "result-exists"];
const DAY_MS = 86_400_000;

let game = null;
let play = null;
let isBusy = false;
let midnight = null;

async function start() {
  fillTexts(document, TEXTS);
  listenToKeys(press);
  listenToEntry(submit);
  listenToOtherTabs(reloadSession);
  find("practice-link").hidden = mode !== today;
  find("today-link").hidden = mode === today;
  for (const name of Object.keys(DIALOGS)) {
    find(`open-${name}`).addEventListener("click", () => openDialog(name));
  }
  document.addEventListener("visibilitychange", checkMidnight);
  show(TEXTS.loading);
  await deliver(() => Promise.all([readGame(), restore()]), showWait);
  await reload();
}

async function readGame() {
  game = await mode.readGame();
  clearTimeout(midnight);
  midnight = setTimeout(checkMidnight, Date.parse(game.ends_at) - serverNow());
}

/** Another tab has signed in or out. */
async function reloadSession() {
  await deliver(restore, showWait);
  await reload();
}

/** Reads the play and draws all of it; what is typed stays. */
async function reload() {
  try {
    play = await deliver(() => mode.readPlay(game), showWait);
  } catch (error) {
    if (!(error instanceof SessionEnded)) throw error;
    play = today.NEW_PLAY;
  }
  drawAll();
  await offerYesterday();
}

/** In place of practice, to a player who has begun yesterday's puzzle and may still finish it. */
async function offerYesterday() {
  if (mode !== today) return;
  const isOffered = currentUser() && (await (await load(OTHER_MODES["/yesterday"]))?.isUnfinished(game));
  find("yesterday-link").hidden = !isOffered;
  find("practice-link").hidden = isOffered;
  if (isOffered && play.status === "new" && !isBusy) say(TEXTS.yesterday);
}

function drawAll() {
  drawHeader();
  drawGuesses(play.guesses);
  colourKeys(knownLetters(play.guesses));
  drawInput();
  if (!isOver()) show(play.guesses.length ? TEXTS.nextGuess(GUESSES - play.guesses.length) : mode.firstHint ?? TEXTS.firstHint);
}

function drawHeader() {
  const day = new Date(`${game.date}T12:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  find("puzzle").textContent = (mode.title ?? TEXTS.title)(game.game_id, day);
  find("hard").hidden = mode.isPractice || play.status !== "new";
  find("hard-badge").hidden = !play.hard;
  const user = currentUser();
  find("account-name").textContent = user?.username ?? "";
  find("open-account").setAttribute("aria-label", user ? TEXTS.accountOf(user.username) : TEXTS.account);
}

/** The field and the keys, or the result. */
function drawInput() {
  placeEntry(isOver() ? null : play.guesses.length);
  showKeyboard(!isOver());
  if (isOver()) drawResult();
  else {
    find("result").hidden = true;
    focusEntry();
  }
}

function isOver() {
  return play.status === "won" || play.status === "lost";
}

async function drawResult() {
  show("");
  const result = await load(() => import("./result.js"));
  await result?.drawOutcome(find("result"), { play, game, isPractice: mode.isPractice });
}

async function submit(guess) {
  if (isBusy) return hurryUp();
  if (guess.length < LETTERS) {
    say(TEXTS.tooShort, "error");
    return shake(play.guesses.length);
  }
  if (!mode.isPractice && !currentUser()) return openDialog("account");
  const error = await sendGuess(guess);
  if (error) await drawRefusal(error);
}

/** The error, or null when the guess is on the board. */
async function sendGuess(guess) {
  isBusy = true;
  lockEntry(true);
  show(TEXTS.sending);
  try {
    const hard = find("hard").querySelector("input").checked;
    await drawGuess(await deliver(() => mode.sendGuess(game, play, guess, { hard }), showWait));
    return null;
  } catch (error) {
    return error;
  } finally {
    isBusy = false;
    lockEntry(false);
    focusEntry();
  }
}

async function drawGuess(after) {
  const number = play.guesses.length;
  const guess = after.guesses[number];
  play = after;
  setTyped("");
  drawHeader();
  await revealGuess(number, guess);
  colourKeys(knownLetters(play.guesses));
  const sentence = TEXTS.row(guess.guess, guess.letters);
  const end = play.status === "won" ? TEXTS.won(play.guesses.length) : TEXTS.lost;
  show(TEXTS.nextGuess(GUESSES - play.guesses.length));
  announce(isOver() ? `${sentence}. ${end} ${TEXTS.answer} ${play.answer}.` : `${sentence}.`);
  drawInput();
}

/** Shows why a guess was not taken; what was typed stays. */
async function drawRefusal(error) {
  if (error instanceof SessionEnded) {
    say(TEXTS.sessionEnded, "error");
    drawHeader();
    return openDialog("account");
  }
  if (!(error instanceof Refused)) throw error;
  if (error.type === "not-today" || error.type === "play-closed") {
    await readGame();
    await reload();
    return say(TEXTS.midnight);
  }
  if (OUT_OF_DATE.includes(error.type)) await reload();
  say(error.message, "error");
  return isOver() ? undefined : shake(play.guesses.length);
}

function showWait(error, seconds) {
  show(typed() ? TEXTS.retryIn(error.message, seconds) : TEXTS.waiting(error.message, seconds), "error");
}

/** A page that was left open: a puzzle that was not begun, or can no longer be finished, gives way to the new one. */
async function checkMidnight() {
  if (document.hidden || !play || mode !== today || isBusy) return;
  const sinceMidnightMs = serverNow() - Date.parse(game.ends_at);
  if (sinceMidnightMs < 0 || isOver()) return;
  if (play.status === "new" || sinceMidnightMs >= DAY_MS) {
    const before = game.game_id;
    await deliver(readGame, showWait);
    await reload();
    if (game.game_id !== before) say(TEXTS.midnight);
  } else {
    say(TEXTS.midnightInPlay);
    find("today-link").hidden = false;
  }
}

async function openDialog(name) {
  const dialog = await load(DIALOGS[name]);
  const isSignedOut = !currentUser();
  await dialog?.open();
  if (isSignedOut !== !currentUser()) await afterSignInOrOut();
  focusEntry();
}

/** A module that is not needed at once; null without a connection. */
async function load(importModule) {
  try {
    return await importModule();
  } catch {
    say(TEXTS.unreachable, "error");
    return null;
  }
}

/** A guess that a visitor typed is sent when they have signed up, unless the account has played today. */
async function afterSignInOrOut() {
  await reload();
  if (!mode.isPractice && currentUser() && play.status === "new" && typed().length === LETTERS) await submit(typed());
}

await start();
