/** Requests to the services, all of which are at the page's own address, and the time by their clock. */

import { TEXTS } from "./texts.js";

const TIMEOUT_MS = 15_000;
const observers = new BroadcastChannel("requests");
let clockAheadMs = 0;

/** A service answered with an error; `message` is its sentence. */
export class Refused extends Error {
  constructor(sentence, { status, type, retryAfterS = null }) {
    super(sentence);
    this.status = status;
    /** "not-a-word": the end of the path of the problem's page; "blank" where the status says enough. */
    this.type = type;
    /** Seconds; null where the answer does not say when to ask again. */
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may succeed a little later. */
  get isTemporary() {
    return this.status === 429 || this.status >= 500;
  }
}

/** No answer came: the service may have received the request or not. */
export class Unreachable extends Error {}

/** The sentence of a problem (RFC 9457), without the name of the field, which is for programs. */
export function readSentence(problem) {
  if (!problem.errors?.length) return problem.detail;
  const messages = problem.errors.map((error) => error.message).join("; ");
  return `${messages[0].toUpperCase()}${messages.slice(1)}.`;
}

async function toRefused(response) {
  const retryAfterS = Number(response.headers.get("Retry-After")) || null;
  const { status } = response;
  if (response.headers.get("Content-Type")?.startsWith("application/problem+json")) {
    const problem = await response.json();
    return new Refused(readSentence(problem), { status, type: problem.type.split(/[:/]/).pop(), retryAfterS });
  }
  return new Refused(TEXTS.refusedByProxy(status), { status, type: "blank", retryAfterS }); // Traefik's own answers
}

/**
 * Sends a request and returns { data, headers, status }; data is null for an answer without a body. `fresh` answers come
 * from the service and not from a cache; the page /suite shows those that are `isShown`.
 * Throws Refused for a status from 400 on, and Unreachable.
 */
export async function send(method, path, { body, token, fresh = false, isShown = true } = {}) {
  const headers = {};
  if (method !== "GET") headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const began = performance.now();
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: fresh ? "no-store" : "default",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (isShown) observers.postMessage(describe(method, path, response, performance.now() - began));
    if (!response.ok) throw await toRefused(response);
    if (fresh) setClock(response.headers.get("Date"));
    const data = response.status === 204 ? null : await response.json();
    return { data, headers: response.headers, status: response.status };
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Unreachable(TEXTS.unreachable, { cause: error });
  }
}

/** Learns the server's time from the header `Date` of an answer that did not come from a cache. */
function setClock(date) {
  const now = Date.parse(date ?? "");
  if (!Number.isNaN(now)) clockAheadMs = now - Date.now();
}

/** Milliseconds since 1970 by the server's clock, at which the next puzzle comes: a player's may be wrong. */
export function serverNow() {
  return Date.now() + clockAheadMs;
}

/** What the suite page shows of a request. */
function describe(method, path, { status, headers }, ms) {
  return {
    method, path, status, ms,
    instance: headers.get("X-Served-By") ?? "traefik",
    requestId: headers.get("X-Request-Id") ?? "",
    serverTiming: headers.get("Server-Timing") ?? "",
  };
}

/** Calls `show` with every request of this browser, of other tabs too. */
export function listenToRequests(show) {
  new BroadcastChannel("requests").addEventListener("message", ({ data }) => show(data));
}

/** The path of the next page of a list, from the header `Link`; null on the last one. */
export function readNextPage(headers) {
  return /<([^>]+)>; rel="next"/.exec(headers.get("Link") ?? "")?.[1] ?? null;
}
