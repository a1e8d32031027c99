/** Many requests, and which instance answered how many of them: rules, without the page. */

export const BURST = 12;

/** Adds an answer { instance, ms } to the tally, a Map of { answers, slowestMs, latest } by instance. */
export function count(tally, { instance, ms }) {
  const { answers, slowestMs } = tally.get(instance) ?? { answers: 0, slowestMs: 0 };
  tally.set(instance, { answers: answers + 1, slowestMs: Math.max(slowestMs, ms), latest: countAll(tally) + 1 });
  return tally;
}

/** The number of answers of all instances, which is also the number of the latest one. */
export function countAll(tally) {
  return [...tally.values()].reduce((sum, { answers }) => sum + answers, 0);
}

/** How many answers have come from others since an instance's latest; 0 if they are no more than a burst may mix up. */
export function countMissed(tally, instance) {
  const missed = countAll(tally) - tally.get(instance).latest;
  return missed < BURST ? 0 : missed;
}

/** The commands that freeze an instance, let it go on, and kill it, in the folder of Quintet: bin/status knows its process. */
export function commandsFor(instance) {
  const pid = `$(bin/status | awk '$1 == "${instance}" {print $2}')`;
  return { goToFolder: "cd quintet", freeze: `kill -STOP ${pid}`, resume: `kill -CONT ${pid}`, kill: `kill -KILL ${pid}` };
}
