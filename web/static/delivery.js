/** Retries a request with back-off until there is an answer, so that a lost connection loses no guess. */

import { Unreachable } from "./api.js";

const PAUSES_S = [1, 2, 4, 8, 15];
let hurry = () => {};

/**
 * The result of `request`, which must be idempotent. After no answer, 429 or 5xx it is retried: after Retry-After if the
 * answer has it, else after ever longer pauses. `onWait(error, seconds)` is called each second.
 */
export async function deliver(request, onWait) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof Unreachable || error.isTemporary)) throw error;
      await pause(error.retryAfterS ?? PAUSES_S[Math.min(failures, PAUSES_S.length - 1)], (s) => onWait(error, s));
    }
  }
}

/** Ends the pause of a delivery: the player presses Enter, or the connection is back. */
export function hurryUp() {
  hurry();
}

function pause(seconds, onSecond) {
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(timer);
      removeEventListener("online", end);
      hurry = () => {};
      resolve();
    };
    let left = seconds;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) onSecond(left);
      else end();
    }, 1000);
    addEventListener("online", end);
    hurry = end;
    onSecond(left);
  });
}
