"""The answer of a game: drawn when it is first needed, or set by an administrator while the game is to come."""

import random
from functools import partial

from games import queries
from games.rules.puzzles import game_id_of
from games.rules.schedule import draw_missing
from servicekit.clock import Clock
from servicekit.db.database import Database
from servicekit.db.engine import LockKeys
from servicekit.db.transaction import Transaction
from servicekit.problems import Conflict, Unavailable

ANSWERS: LockKeys = ("answers",)
"""Drawing an answer depends on all that are stored, so one transaction at a time changes them."""


async def get_answer(answers: Database, *, game_id: int) -> str:
    """Of a past game or today's; draws it, and every earlier one that is missing, if it has none yet."""
    answer = await queries.find_answer(answers, game_id=game_id)
    return answer if answer is not None else await answers.write(partial(draw_answer, game_id=game_id), lock=ANSWERS)


async def draw_answer(answers: Transaction, *, game_id: int) -> str:
    """Raises Unavailable if there are no candidates to draw from.

    The lock is held from before the first read, so of two instances that come here at midnight the second finds
    the answer that the first has drawn.
    """
    candidates = await queries.list_candidates(answers)
    if not candidates:
        raise Unavailable("There are no words to draw an answer from. Make the databases with bin/init.")
    stored = await queries.list_answers(answers, last_game=game_id)
    drawn = draw_missing(candidates, stored, last_game=game_id, rng=random.SystemRandom())
    await queries.insert_answers(answers, drawn=drawn)
    return (stored | drawn)[game_id]


def require_future(game_id: int, clock: Clock) -> None:
    """Raises Conflict for today's game and past ones, which may be under way."""
    today = game_id_of(clock().date())
    if game_id <= today:
        raise Conflict(f"The answer of game {game_id} is fixed; the first that may be set is that of game {today + 1}.")


async def replace_answer(answers: Transaction, *, clock: Clock, game_id: int, answer: str) -> None:
    """Raises Conflict if the answer is fixed, also by an instance whose clock is ahead of this one's."""
    require_future(game_id, clock)  # again, under the lock: midnight may have passed while this waited for it
    if not await queries.upsert_answer(answers, game_id=game_id, answer=answer):
        raise Conflict(f"The answer of game {game_id} has been drawn: for another instance its day has come.")
