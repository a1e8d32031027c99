/** Who answered: a bar an instance, with its slowest answer, and the commands to freeze or kill it. */

import { commandsFor, countAll, countMissed } from "./burst.js";
import { fill, make } from "./dom.js";
import { TEXTS } from "./texts.js";

/** `tally` as burst.js counts; `failures` is how many requests got no answer, or an error. Commands that are open stay so. */
export function drawAnswers(section, tally, failures) {
  const open = [...section.querySelectorAll("details[open]")].map((details) => details.dataset.instance);
  const most = Math.max(1, ...[...tally.values()].map(({ answers }) => answers));
  const total = countAll(tally);
  fill(section, make("p", {}, TEXTS.answered(total, total + failures)), ...[...tally.keys()].sort().map((instance) =>
    drawInstance(instance, tally, { most, isOpen: open.includes(instance) })));
}

function drawInstance(instance, tally, { most, isOpen }) {
  const { answers, slowestMs } = tally.get(instance);
  const missed = countMissed(tally, instance);
  const bar = make("span", { class: "bar own" }, String(answers));
  bar.style.setProperty("--share", answers / most);
  return make("div", { class: "instance" },
    make("h3", {}, instance),
    make("p", {}, bar, make("span", { class: "small" }, TEXTS.slowest(slowestMs)),
      missed ? make("span", { class: "error" }, ` ${TEXTS.missed(missed)}`) : null),
    make("details", { open: isOpen, "data-instance": instance }, make("summary", {}, TEXTS.stopInstance),
      make("dl", {}, ...Object.entries(commandsFor(instance)).flatMap(([text, command]) => [
        make("dt", {}, TEXTS[text]), make("dd", {}, make("code", {}, command))]))));
}
