/** Who answered: a bar an instance, with its slowest answer, and the commands to freeze or kill it. */

import { commandsFor } from "./burst.js";
import { fill, make } from "./dom.js";
import { TEXTS } from "./texts.js";

/** `tally` as burst.js counts; `failures` is how many requests got no answer, or an error. */
export function drawAnswers(section, tally, failures) {
  const most = Math.max(1, ...[...tally.values()].map(({ answers }) => answers));
  const total = [...tally.values()].reduce((sum, { answers }) => sum + answers, 0);
  fill(section, make("p", {}, TEXTS.answered(total, total + failures)), ...[...tally.entries()].sort().map(([instance, { answers, slowestMs }]) => {
    const bar = make("span", { class: "bar own" }, String(answers));
    bar.style.setProperty("--share", answers / most);
    const { freeze, resume, kill } = commandsFor(instance);
    return make("div", { class: "instance" },
      make("h3", {}, instance),
      make("p", {}, bar, make("span", { class: "small" }, TEXTS.slowest(slowestMs))),
      make("details", {}, make("summary", {}, TEXTS.stopInstance),
        make("dl", {}, ...[["freeze", freeze], ["resume", resume], ["kill", kill]].flatMap(([text, command]) => [
          make("dt", {}, TEXTS[text]), make("dd", {}, make("code", {}, command))]))));
  }));
}

/** Redraws the answers; commands that were opened stay open. */
export function updateAnswers(section, tally, failures) {
  const open = [...section.querySelectorAll("details[open]")].map((details) => details.parentElement.querySelector("h3").textContent);
  drawAnswers(section, tally, failures);
  for (const instance of section.querySelectorAll(".instance")) {
    instance.querySelector("details").open = open.includes(instance.querySelector("h3").textContent);
  }
}
