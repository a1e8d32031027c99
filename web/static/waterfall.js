/** The last request of this browser, drawn as a waterfall: one bar a part, below the one in which it happened. */

import { fill, make } from "./dom.js";
import { TEXTS } from "./texts.js";
import { layOutWaterfall, parseServerTiming } from "./timing.js";

/** `request` is what api.js tells of each: { method, path, status, ms, instance, requestId, serverTiming }. */
export function drawWaterfall(section, request) {
  const bars = layOutWaterfall(request.ms, parseServerTiming(request.serverTiming));
  fill(section,
    make("p", { class: "request" }, `${request.method} ${request.path} → ${request.status}`),
    make("table", { class: "waterfall" }, make("tbody", {}, ...bars.map(drawBar))),
    make("p", {}, TEXTS.logLines(request.instance), " ", make("code", {}, `request_id=${request.requestId}`)),
    bars.length === 1 ? make("p", { class: "small" }, TEXTS.noTiming) : null);
}

function drawBar({ name, description, durationMs, depth, left, width }) {
  const bar = make("span", { class: "part", "data-depth": depth });
  bar.style.setProperty("--left", left);
  bar.style.setProperty("--width", width);
  const label = make("th", { scope: "row" }, TEXTS.part(name.split(".").findLast((step) => step !== "total") ?? "", description, name));
  label.style.setProperty("--depth", depth);
  return make("tr", {}, label, make("td", { class: "lane" }, bar), make("td", {}, `${durationMs.toFixed(1)} ms`));
}
