/**
 * The header Server-Timing, `total;dur=5.10;desc="games.1", plays;dur=0.80;desc="database", words;dur=2.20;desc="service",
 * words.total;dur=1.74;desc="words.1"`, and the waterfall that it makes: rules, without the page.
 */

const METRIC = /([\w.-]+)\s*;\s*dur=([\d.]+)(?:\s*;\s*desc="([^"]*)")?/g;
const BROWSER = "browser";

/** [{ name, durationMs, description }] in the order of the header. */
export function parseServerTiming(header) {
  return [...(header ?? "").matchAll(METRIC)].map(([, name, duration, description = ""]) => ({ name, durationMs: Number(duration), description }));
}

/** The name of the part in which another one happened: `words.total` within `words`, which is within `total`. */
export function parentOf(name) {
  if (name === "total") return BROWSER;
  const outer = name.split(".").slice(0, -1).join(".");
  if (name.endsWith(".total")) return outer;
  return outer ? `${outer}.total` : "total";
}

/**
 * Bars, the outermost first: { name, description, durationMs, depth, left, width } with shares of the whole. Only lengths
 * are measured, not when they began: a service is drawn in the middle of its caller's wait, between the way there and the
 * way back, and several parts of the same one follow each other.
 */
export function layOutWaterfall(totalMs, parts) {
  const whole = { name: BROWSER, description: "", durationMs: totalMs, depth: 0, left: 0, width: 1, next: 0 };
  const bars = [whole];
  for (const { name, description, durationMs } of parts) {
    const parent = bars.findLast((bar) => bar.name === parentOf(name)) ?? whole;
    const width = Math.min(durationMs / totalMs, parent.width);
    const isWhatTheCallerWaitedFor = name.endsWith("total");
    const end = parent.left + parent.width - width;
    const left = isWhatTheCallerWaitedFor ? (parent.left + end) / 2 : Math.min(parent.next, end);
    parent.next = left + width;
    bars.push({ name, description, durationMs, depth: parent.depth + 1, left, width, next: left });
  }
  return bars;
}
