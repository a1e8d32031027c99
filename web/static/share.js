/** The grid that a player shows to others, without a letter. */

import { GUESSES } from "./letters.js";

const SQUARES = { correct: "🟩", present: "🟨", absent: "⬛" };

/** The same text as `GET /api/games/{game_id}/plays/{user_id}/share`, at once: a phone shares only right after a tap. */
export function drawGrid({ game_id: gameId, status, hard, guesses }) {
  const score = status === "won" ? guesses.length : "X";
  const rows = guesses.map(({ letters }) => letters.map(({ state }) => SQUARES[state]).join(""));
  return `Quintet ${gameId} ${score}/${GUESSES}${hard ? "*" : ""}\n\n${rows.join("\n")}\n`;
}

/**
 * Shares the text as the device can, and returns how: "shared", "copied", or "shown" if the browser does neither (as on
 * a page without TLS), and the caller has to show the text.
 */
export async function share(text) {
  if (matchMedia("(pointer: coarse)").matches && navigator.canShare?.({ text })) {
    try {
      await navigator.share({ text });
      return "shared";
    } catch (error) {
      if (error.name === "AbortError") return "shared"; // the player changed their mind
    }
  }
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return "shown";
  }
}
