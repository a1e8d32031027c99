"""Simulated players, for bin/populate: who they are, on which days they play and how well.

A player has a *skill*, which moves the bell of guesses around 4, and a *habit*: the day of the first game, how many
games, and how regularly, since streaks come from playing day after day. Nothing here reads a clock or a disk, and the
same generator gives the same players.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import ceil, exp
from operator import attrgetter
from typing import NamedTuple, TypeAlias
from uuid import UUID

from faker.providers.person.en_US import Provider as Names

from games.puzzles import day_of

GameRow: TypeAlias = tuple[bytes, int, str, int, int]
"""The columns of `games`: user_id, game_id, finished, guesses, won."""

MAX_GUESSES = 6
LOST = MAX_GUESSES + 1
"""Stands for the seventh guess that a lost game would have taken."""
BELL = (4, 60, 230, 330, 230, 110, 24)
"""Of the usual player: how likely 1 ... 6 guesses and LOST are. With all skills, about 3 % of all games are lost."""
SKILL_DEVIATION = 3
SKILLS = range(-10, 11)
"""Tenths: one bell for each is enough."""

FIRST_NAMES = tuple(Names.first_names)
LAST_NAMES = tuple(Names.last_names)
TIMES = tuple(f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in range(86_400))


class SimulatedPlayer(NamedTuple):
    user_id: UUID
    username: str
    games: int


class Habit(NamedTuple):
    """How someone plays so many games."""

    skill: int
    """One of SKILLS; the higher, the more guesses are needed: 3 makes it 0.4 more on average."""
    days: range
    """The ids of the games in whose time they are played; at least as many as there are games."""


def draw_players(users: int, *, games: int, days: int, rng: random.Random) -> list[SimulatedPlayer]:
    """Players in the order of their ids, who play `games` games in all on the calendar's first `days` days.

    Nobody plays more than once a day: `games` is at most users * days.
    """
    usernames = draw_usernames(users, rng)
    user_ids = sorted((UUID(int=rng.getrandbits(128), version=4) for _ in range(users)), key=attrgetter("int"))
    counts = share_games(games, draw_weights(users, rng), days)
    return [SimulatedPlayer(*each) for each in zip(user_ids, usernames, counts, strict=True)]


def draw_usernames(count: int, rng: random.Random) -> list[str]:
    """Different names of 3-32 letters, digits and `_ . -`, as the users service takes them.

    Faker's own user_name() takes 70 us a name; its lists of names, put together here, take 1 us.
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
    """How much each plays compared with the others: most a little, some a lot."""
    return [1 + int(1000 * rng.lognormvariate(0, 1.2)) for _ in range(count)]


def share_games(games: int, weights: Sequence[int], most: int) -> list[int]:
    """Exactly `games` in all, in proportion to the weights, and nobody more than `most`.

    `games` is at most len(weights) * most. What is over `most` is shared again among those who are below it.
    """
    counts = [0] * len(weights)
    while games:
        below = [index for index, count in enumerate(counts) if count < most]
        sums = list(accumulate((weights[index] for index in below), initial=0))
        shared = [games * part // sums[-1] for part in sums]  # rounded as a running sum, so that nothing is lost
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
    """Someone who plays on half of all days takes twice as many days as games, as far as there are so many."""
    habit = 0.25 + 0.75 * rng.random()
    span = min(days, ceil(games / habit))
    first = rng.randrange(days - span + 1)
    return range(first, first + span)


def weigh_guesses(skill: int) -> tuple[float, ...]:
    """Cumulative weights of 1 ... 6 guesses and LOST: the usual player's bell, tilted to one side."""
    return tuple(accumulate(weight * exp(skill / 10 * guesses) for guesses, weight in enumerate(BELL, start=1)))


def play_games(counts: Iterable[tuple[bytes, int]], *, days: int, rng: random.Random) -> Iterator[GameRow]:
    """All games of players of whom each is told by the 16 bytes of the id and the number of games: in the players'
    order, and of each player day by day.
    """
    dates = [f"{day_of(game_id)} " for game_id in range(days)]
    bells = {skill: weigh_guesses(skill) for skill in SKILLS}
    outcomes = range(1, LOST + 1)
    for user_id, games in counts:
        habit = draw_habit(games, days, rng)
        game_ids = sorted(rng.sample(habit.days, games))
        guesses = rng.choices(outcomes, cum_weights=bells[habit.skill], k=games)
        times = rng.choices(TIMES, k=games)
        for game_id, needed, time in zip(game_ids, guesses, times, strict=True):
            won = needed != LOST
            yield user_id, game_id, dates[game_id] + time, needed if won else MAX_GUESSES, won
