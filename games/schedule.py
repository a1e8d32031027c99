"""Rounds of answers: each candidate comes once, and when the list is used up it starts again in another order."""

import random
from collections.abc import Sequence
from itertools import islice

MIN_GAP_DAYS = 60
"""No word comes twice within so many days."""


def round_of(game_id: int, candidates: int) -> range:
    """The games of the round that a game belongs to; each round is as long as there are candidates, at least one."""
    start = game_id - game_id % candidates
    return range(start, start + candidates)


def draw_round(candidates: Sequence[str], previous: Sequence[str], rng: random.Random) -> list[str]:
    """All candidates in an order in which none comes within MIN_GAP_DAYS of its last use; all such orders are equally
    likely. With fewer than 2 * MIN_GAP_DAYS candidates the gap is half their number, so that there is still a choice.

    `previous` is the answers just before this round, the last one at the end: MIN_GAP_DAYS of them are enough.
    """
    gap = min(MIN_GAP_DAYS, len(candidates) // 2)
    waiting = set(candidates)
    taken: dict[int, str] = {}
    # The word that was used last has the fewest places to choose from, and the one before may go to all of these and
    # more: how many are left never depends on what was chosen before. That is what makes all orders equally likely.
    for games_ago, word in enumerate(islice(reversed(previous), gap), start=1):
        if word in waiting:
            waiting.remove(word)
            first = gap + 1 - games_ago
            position = rng.choice([place for place in range(first, len(candidates)) if place not in taken])
            taken[position] = word
    others = [word for word in candidates if word in waiting]
    rng.shuffle(others)
    rest = iter(others)
    return [taken[place] if place in taken else next(rest) for place in range(len(candidates))]
