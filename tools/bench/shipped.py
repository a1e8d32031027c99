"""Statistics from the suite as bin/run starts it, compared with a naked endpoint: the speed that a user gets."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from tools.bench.bench_results import NAKED, SHIPPED_TARGETS, ShippedResults
from tools.bench.naked_stack import running_naked_stack
from tools.bench.rounds import collect, compare, measure
from tools.bench.wrk import Load, LoadGenerator, Target
from tools.process.stack import running_stack

Turn: TypeAlias = tuple[str, ...]
"""NAKED and a runner."""


def list_runners() -> list[str]:
    """The installed ones; honcho always is."""
    return [runner for runner in SHIPPED_TARGETS if runner == "honcho" or shutil.which(runner)]


def measure_runner(
    runner: str, root: Path, naked: Target, scripts: Sequence[Path], generator: LoadGenerator
) -> dict[Turn, list[tuple[Load, ...]]]:
    # Without any setting: statistics have no limit that this load would reach.
    with running_stack(root, runner=runner) as stack:
        targets = {NAKED: naked, runner: Target(stack.url, [stack.process.pid])}
        return measure(
            [(NAKED, runner)],
            lambda case, number: generator.run(targets[case], scripts[number], number=number),
            rounds=generator.rounds,
        )


def measure_shipped(root: Path, folder: Path, scripts: Sequence[Path], generator: LoadGenerator) -> ShippedResults:
    """`root` is the folder of a stack that is not running, `folder` a new one, and `scripts` has requests for
    statistics, by round."""
    measured: dict[Turn, list[tuple[Load, ...]]] = {}
    with running_naked_stack(folder) as naked:
        for runner in list_runners():
            measured |= measure_runner(runner, root, naked, scripts, generator)
    return ShippedResults(loads=collect(measured), ratios=compare(measured))
