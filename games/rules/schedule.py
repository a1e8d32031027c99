"""Which word is the answer of a day: any candidate that was not an answer shortly before, each equally likely.

Each day is drawn when it is first needed, after all earlier days. An attacker who knows all earlier answers, all
candidates and this code can therefore only guess among the candidates outside the window.
"""

import random
from collections.abc import Iterable, Mapping, Sequence


def window_days(candidates: int) -> int:
    """For how many days after its own a word is not drawn again: half as many as there are candidates."""
    return candidates // 2


def list_drawable(candidates: Sequence[str], recent: Iterable[str]) -> list[str]:
    """The candidates that may be drawn; at least one, since `recent` is the answers of at most `window_days`."""
    excluded = set(recent)
    return [word for word in candidates if word not in excluded]


def draw_missing(
    candidates: Sequence[str], stored: Mapping[int, str], *, last_game: int, rng: random.Random
) -> dict[int, str]:
    """The answers of those games from 0 to `last_game` that have none, drawn in calendar order.

    `stored` is by game. A draw looks only at earlier days: an answer that an administrator has set for a later day
    changes nothing. There must be at least one candidate.
    """
    window = window_days(len(candidates))
    answers, drawn = dict(stored), {}
    for game_id in range(last_game + 1):
        if game_id not in answers:
            recent = (answers[earlier] for earlier in range(max(0, game_id - window), game_id))
            answers[game_id] = drawn[game_id] = rng.choice(list_drawable(candidates, recent))
    return drawn
