"""Which word is the answer of a day: any candidate that was not an answer shortly before, each equally likely.

Each day is drawn when it is first needed, after all earlier days. An attacker who knows all earlier answers, all
candidates and this code can therefore only guess among the candidates outside the window.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence


def window_days(candidates: int) -> int:
    """For how many days after its own a word is not drawn again: half as many as there are candidates."""
    return candidates // 2


def draw_word(candidates: Sequence[str], recent: Mapping[str, int], rng: random.Random) -> str:
    """A candidate that is not recent. Drawn again until it is: at least half of the candidates are not recent, so two
    draws suffice on average, and each of these is equally likely."""
    while recent.get(word := rng.choice(candidates), 0):
        pass
    return word


def draw_missing(
    candidates: Sequence[str], stored: Mapping[int, str], *, last_game: int, rng: random.Random
) -> dict[int, str]:
    """The answers of those games from 0 to `last_game` that have none, drawn in calendar order.

    `stored` is by game. A draw looks only at earlier days: an answer that an administrator has set for a later day
    changes nothing. There must be at least one candidate.
    """
    window = window_days(len(candidates))
    answers, drawn = dict(stored), {}
    recent: Counter[str] = Counter()  # how many of the answers in the window are a word; more than one only if set so
    for game_id in range(last_game + 1):
        if game_id not in answers:
            answers[game_id] = drawn[game_id] = draw_word(candidates, recent, rng)
        recent[answers[game_id]] += 1
        if game_id >= window:
            recent[answers[game_id - window]] -= 1
    return drawn
