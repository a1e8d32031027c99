"""How a puzzle went: how many players won it in how many guesses, and how many lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from stats.results import MAX_GUESSES


class ResultCount(NamedTuple):
    """How many players of a shard have a result of a game."""

    won: bool
    guesses: int
    """1-6, for a loss too."""
    players: int


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """The results of all players in one game."""

    won_in: tuple[int, ...]
    """How many players won in 1 ... 6 guesses."""
    lost: int

    @property
    def won(self) -> int:
        return sum(self.won_in)

    @property
    def played(self) -> int:
        return self.won + self.lost


def sum_counts(counts: Iterable[ResultCount]) -> ResultCounts:
    """Of the counts of all shards, in any order; zeros without any."""
    won_in = [0] * MAX_GUESSES
    lost = 0
    for won, guesses, players in counts:
        if won:
            won_in[guesses - 1] += players
        else:
            lost += players
    return ResultCounts(tuple(won_in), lost)
