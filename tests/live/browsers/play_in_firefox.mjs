// Plays today's puzzle in Firefox as a new player, and opens the dialogs and /suite:
//     node play_in_firefox.mjs FIREFOX URL WRONG ANSWER
// Prints what the player meets, a line each. The exit status is 1 if something is missing, or if a page reports an error.

import { launch } from "puppeteer-core";

const TIMEOUT_MS = 20_000;
const [executablePath, url, wrong, answer] = process.argv.slice(2);
const errors = [];

const browser = await launch({ browser: "firefox", executablePath, extraPrefsFirefox: { "ui.prefersReducedMotion": 1 } });
try {
  const page = await openPage(url);
  await play(page);
  await openDialogs(page);
  await showSuite(await openPage(`${url}/suite`));
} finally {
  await browser.close();
}
for (const error of errors) console.error(error);
process.exit(errors.length ? 1 : 0);

async function openPage(address) {
  const page = await browser.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on("pageerror", (error) => errors.push(String(error))); // violations of the policy, too
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) errors.push(message.text());
  });
  await page.goto(address);
  return page;
}

/** Waits for what a selector finds by accessible name or by text, and prints the line. */
async function meet(page, selector, line) {
  const element = await page.waitForSelector(selector);
  console.log(line);
  return element;
}

async function press(page, name) {
  await (await page.waitForSelector(`aria/${name}[role="button"]`)).click();
}

async function guess(page, word) {
  await page.keyboard.type(word);
  await page.keyboard.press("Enter");
}

async function play(page) {
  await page.waitForSelector("::-p-text(Type a word)");
  await guess(page, wrong);
  const name = await meet(page, "aria/Name", "a visitor's guess opens the dialog to sign up");
  await name.type(`firefox-${Date.now()}`);
  await page.keyboard.press("Tab");
  await page.keyboard.type("correct horse battery");
  await page.keyboard.press("Enter");
  await meet(page, `::-p-text(${wrong}: )`, "the guess is on the board");
  await guess(page, answer);
  await meet(page, "::-p-text(Found in 2)", "the play is won");
  await page.reload();
  await meet(page, "::-p-text(Found in 2)", "a reload shows it again");
}

async function openDialogs(page) {
  await press(page, "Statistics");
  await meet(page, "aria/Your games", "statistics have a calendar");
  await page.keyboard.press("Escape");
  await press(page, "Leaderboards");
  await meet(page, "::-p-text(You are )", "leaderboards have the player's place");
  await page.keyboard.press("Escape");
}

async function showSuite(page) {
  await press(page, "Send 12 requests");
  await meet(page, "::-p-text(12 of 12 requests answered.)", "the suite answers");
  await press(page, "Check a guess");
  await meet(page, "::-p-text(Answered by games.1.)", "a request is followed");
}
