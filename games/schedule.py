"""In which order the answers come: rounds in which each candidate comes once, each round in another order."""

import random
from collections.abc import Sequence

MIN_GAP_DAYS = 60
"""A word that ended one round does not begin the next: at least so many games lie between its two days."""


def round_of(game_id: int, size: int) -> range:
    """The games of the round that a game belongs to; a round has as many games as there are candidates."""
    first = game_id - game_id % size
    return range(first, first + size)


def draw_round(candidates: Sequence[str], previous: Sequence[str], rng: random.Random) -> list[str]:
    """Every candidate once, in random order, after the answers `previous`.

    `rng` is a random.SystemRandom where answers are real: a seed would make them guessable. With too few candidates
    for MIN_GAP_DAYS the words of the recent games come last.
    """
    recent = set(previous[-MIN_GAP_DAYS:])
    fresh = [word for word in candidates if word not in recent]
    beginning = rng.sample(fresh, min(MIN_GAP_DAYS, len(fresh)))
    rest = list(set(candidates) - set(beginning))
    return beginning + rng.sample(rest, len(rest))
