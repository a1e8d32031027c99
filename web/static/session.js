/**
 * Who is signed in. The session is a cookie that no script can read; the page gets short access tokens for it, which it
 * keeps in memory only.
 */

import { Refused, send } from "./api.js";

const SESSION = "/api/users/session";
const MARGIN_MS = 30_000;

let user = null;
let token = null;
let tokenEndsAt = 0;

const tabs = new BroadcastChannel("session");

/** The session has ended: the player has to sign in again. */
export class SessionEnded extends Error {}

/** { user_id, username }, or null. */
export function currentUser() {
  return user;
}

/** Calls `react` when another tab has signed in or out; it is not known then who is signed in. */
export function listenToOtherTabs(react) {
  tabs.addEventListener("message", () => {
    forget();
    react();
  });
}

/** Asks who is signed in: null without a session, which is no error. */
export async function restore() {
  user = (await send("GET", SESSION, { fresh: true })).data;
  return user;
}

export async function signIn(username, password) {
  keep((await send("POST", SESSION, { body: { username, password } })).data);
  await restore();
  tabs.postMessage("changed");
}

export async function signUp(username, password) {
  await send("POST", "/api/users", { body: { username, password } });
  await signIn(username, password);
}

export async function signOut() {
  await send("DELETE", SESSION);
  leave();
}

/** Ends all sessions of the player; this browser begins a new one. */
export async function changePassword(oldPassword, password) {
  const { user_id: userId, username } = user;
  await sendAsPlayer("PUT", `/api/users/${userId}/password`, { body: { password, old_password: oldPassword } });
  await signIn(username, password);
}

/** The results stay, under a placeholder name. */
export async function deleteAccount(password) {
  await sendAsPlayer("DELETE", `/api/users/${user.user_id}`, { body: { password } });
  leave();
}

/** As `send`, with an access token: one that has expired is replaced first. Throws SessionEnded. */
export async function sendAsPlayer(method, path, options = {}) {
  if (Date.now() > tokenEndsAt - MARGIN_MS) await refresh();
  try {
    return await send(method, path, { ...options, token });
  } catch (error) {
    if (error.status !== 401) throw error;
    await refresh(); // it ended earlier than this clock says
    return send(method, path, { ...options, token });
  }
}

async function refresh() {
  try {
    keep((await send("POST", `${SESSION}/token`)).data);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
    forget();
    throw new SessionEnded();
  }
}

function keep({ access_token: accessToken, expires_in: expiresInS }) {
  token = accessToken;
  tokenEndsAt = Date.now() + expiresInS * 1000;
}

function forget() {
  user = null;
  token = null;
  tokenEndsAt = 0;
}

function leave() {
  forget();
  tabs.postMessage("changed");
}
