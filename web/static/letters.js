/** What is known of letters: the rules of showing a guess. A letter's state is correct, present or absent. */

const ORDER = ["absent", "present", "correct"];
export const LETTERS = 5;
export const GUESSES = 6;

/** The letters a-z of what was typed or pasted, in lower case, five at most. */
export function toLetters(text) {
  return text.replace(/[^a-z]/gi, "").toLowerCase().slice(0, LETTERS);
}

/** The best that is known of each letter of the guesses: { t: "absent", r: "present" }. */
export function knownLetters(guesses) {
  const known = {};
  for (const { letter, state } of guesses.flatMap((guess) => guess.letters)) {
    if (ORDER.indexOf(state) > ORDER.indexOf(known[letter])) known[letter] = state;
  }
  return known;
}
