"""Simulates players for bin/populate: their names, the days on which they play, and their results.

A player has a *skill*, which shifts the distribution of guesses around 4, and a *habit*: the first day, the number of
games, and how regularly they are played, since streaks need consecutive days. The module does no I/O, and the same
generator gives the same players.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import ceil, exp
from operator import attrgetter
from typing import NamedTuple, TypeAlias
from uuid import UUID

from faker.providers.person.en_US import Provider as Names

from games.rules.puzzles import day_of

GameRow: TypeAlias = tuple[bytes, int, str, int, int]
"""The columns of `games`: user_id, game_id, finished, guesses, won."""

MAX_GUESSES = 6
LOST = MAX_GUESSES + 1
"""A lost game counts as a seventh guess here."""
OUTCOME_WEIGHTS = (4, 60, 230, 330, 230, 110, 24)
"""Of 1 ... 6 guesses and LOST, for average skill. Over all skills, about 3 % of the games are lost."""
SKILL_DEVIATION = 3
SKILLS = range(-10, 11)
"""In tenths; the weights are computed once for each."""

FIRST_NAMES = tuple(Names.first_names)
LAST_NAMES = tuple(Names.last_names)
TIMES = tuple(f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in range(86_400))


class SimulatedPlayer(NamedTuple):
    user_id: UUID
    username: str
    games: int


class Habit(NamedTuple):
    """How a player plays a number of games."""

    skill: int
    """One of SKILLS; a higher one needs more guesses: with 3, 0.4 more on average."""
    days: range
    """The puzzles of the days among which the games are drawn; at least as many as games."""


def draw_players(users: int, *, games: int, days: int, rng: random.Random) -> list[SimulatedPlayer]:
    """Returns players in the order of their ids, who play `games` games in total on the first `days` days.

    Each plays at most once a day: `games` is at most users * days.
    """
    usernames = draw_usernames(users, rng)
    user_ids = sorted((UUID(int=rng.getrandbits(128), version=4) for _ in range(users)), key=attrgetter("int"))
    counts = share_games(games, draw_weights(users, rng), days)
    return [SimulatedPlayer(*each) for each in zip(user_ids, usernames, counts, strict=True)]


def draw_usernames(count: int, rng: random.Random) -> list[str]:
    """Distinct names of 3-32 letters, digits and `_ . -`, as the users service accepts them.

    Faker's user_name() takes 70 us for a name; combining its lists of names takes 1 us.
    """
    names: dict[str, None] = {}
    while len(names) < count:
        first, last = rng.choice(FIRST_NAMES).lower(), rng.choice(LAST_NAMES)
        number = rng.randrange(100)
        styles = (f"{first}.{last.lower()}", f"{first}{number}", f"{first[0]}{last.lower()}{number}", f"{first}_{last}")
        name = rng.choice(styles)
        names[name if name not in names else f"{name}{rng.randrange(10_000)}"] = None
    return list(names)


def draw_weights(count: int, rng: random.Random) -> list[int]:
    """Relative numbers of games: small for most players, large for some (log-normal)."""
    return [1 + int(1000 * rng.lognormvariate(0, 1.2)) for _ in range(count)]


def share_games(games: int, weights: Sequence[int], most: int) -> list[int]:
    """Distributes exactly `games` in proportion to the weights, with at most `most` for each.

    `games` is at most len(weights) * most. An excess over `most` is distributed among those below it.
    """
    counts = [0] * len(weights)
    while games:
        below = [index for index, count in enumerate(counts) if count < most]
        sums = list(accumulate((weights[index] for index in below), initial=0))
        shared = [games * part // sums[-1] for part in sums]  # rounds running sums, so that the total is exact
        for index, before, after in zip(below, shared, shared[1:], strict=False):
            taken = min(most - counts[index], after - before)
            counts[index] += taken
            games -= taken
    return counts


def draw_habit(games: int, days: int, rng: random.Random) -> Habit:
    return Habit(draw_skill(rng), draw_days(games, days, rng))


def draw_skill(rng: random.Random) -> int:
    return max(SKILLS[0], min(SKILLS[-1], round(rng.gauss(0, SKILL_DEVIATION))))


def draw_days(games: int, days: int, rng: random.Random) -> range:
    """The days from the first to the last game: twice as many as games for a player of every second day."""
    habit = 0.25 + 0.75 * rng.random()
    span = min(days, ceil(games / habit))
    first = rng.randrange(days - span + 1)
    return range(first, first + span)


def weigh_guesses(skill: int) -> tuple[float, ...]:
    """Cumulative weights of 1 ... 6 guesses and LOST: OUTCOME_WEIGHTS, tilted by the skill."""
    weights = enumerate(OUTCOME_WEIGHTS, start=1)
    return tuple(accumulate(weight * exp(skill / 10 * guesses) for guesses, weight in weights))


def play_games(counts: Iterable[tuple[bytes, int]], *, days: int, rng: random.Random) -> Iterator[GameRow]:
    """Yields the games of each player, day by day. `counts` are the 16 bytes of each id and the number of games."""
    dates = [f"{day_of(game_id)} " for game_id in range(days)]
    weights = {skill: weigh_guesses(skill) for skill in SKILLS}
    outcomes = range(1, LOST + 1)
    for user_id, games in counts:
        habit = draw_habit(games, days, rng)
        game_ids = sorted(rng.sample(habit.days, games))
        guesses = rng.choices(outcomes, cum_weights=weights[habit.skill], k=games)
        times = rng.choices(TIMES, k=games)
        for game_id, needed, time in zip(game_ids, guesses, times, strict=True):
            won = needed != LOST
            yield user_id, game_id, dates[game_id] + time, needed if won else MAX_GUESSES, won
