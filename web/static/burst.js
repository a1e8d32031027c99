/** Many requests, and which instance answered how many of them: a rule, without the page. */

/** Adds an answer { instance, ms } to the tally, a Map of { answers, slowestMs, lastMs } by instance. */
export function count(tally, { instance, ms }) {
  const before = tally.get(instance) ?? { answers: 0, slowestMs: 0, lastMs: 0 };
  tally.set(instance, { answers: before.answers + 1, slowestMs: Math.max(before.slowestMs, ms), lastMs: ms });
  return tally;
}

/** The commands that freeze an instance, let it go on, and kill it; bin/status knows its process. */
export function commandsFor(instance) {
  const pid = `$(bin/status | awk '$1 == "${instance}" {print $2}')`;
  return { freeze: `kill -STOP ${pid}`, resume: `kill -CONT ${pid}`, kill: `kill -KILL ${pid}` };
}
