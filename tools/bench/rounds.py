"""Measuring what is to be compared in turn, so that a machine that is busy for a while favours no side."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import product
from statistics import median
from typing import TypeVar

from tqdm import tqdm

from tools.bench.wrk import Load, take_medians

CaseT = TypeVar("CaseT", bound=Hashable)
"""What one run of the load generator measures. A turn is a tuple of cases: they are measured one right after another,
to be compared."""


def measure(
    turns: Sequence[tuple[CaseT, ...]], run: Callable[[CaseT, int], Load], *, rounds: int
) -> dict[tuple[CaseT, ...], list[tuple[Load, ...]]]:
    """The loads of each turn's cases in each round. `run` is given a case and the number of the round; round 0 is a
    warm-up, whose loads are dropped.

    Every second round measures the cases of a turn in reverse order: the aftermath of one, such as a checkpoint of the
    write-ahead log, would otherwise always slow down the same one.
    """
    measured: dict[tuple[CaseT, ...], list[tuple[Load, ...]]] = {turn: [] for turn in turns}
    for number, turn in tqdm(list(product(range(rounds + 1), turns)), "measuring", unit="turn", disable=None):
        loads = {case: run(case, number) for case in turn[:: -1 if number % 2 else 1]}
        if number:
            measured[turn].append(tuple(loads[case] for case in turn))
    return measured


def collect(measured: Mapping[tuple[CaseT, ...], Sequence[tuple[Load, ...]]]) -> dict[CaseT, Load]:
    """The medians of each case over all rounds, of all turns that it was part of."""
    loads: defaultdict[CaseT, list[Load]] = defaultdict(list)
    for turn, rounds in measured.items():
        for case, of_case in zip(turn, zip(*rounds, strict=True), strict=True):
            loads[case] += of_case
    return {case: take_medians(of_case) for case, of_case in loads.items()}


def list_ratios(measured: Mapping[tuple[CaseT, ...], Sequence[tuple[Load, ...]]]) -> dict[CaseT, list[float]]:
    """For the last case of each turn, the ratios of its requests/s to those of the case before it, by round: the two
    were measured one right after the other."""
    return {
        turn[-1]: [loads[-1].requests_per_s / loads[-2].requests_per_s for loads in rounds]
        for turn, rounds in measured.items()
    }


def compare(measured: Mapping[tuple[CaseT, ...], Sequence[tuple[Load, ...]]]) -> dict[CaseT, float]:
    """The medians of `list_ratios`."""
    return {case: median(ratios) for case, ratios in list_ratios(measured).items()}
