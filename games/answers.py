"""The answer of a game: drawn with a round of all candidates where there is none yet, or set while it is to come."""

import random
from functools import partial

from databases import Database

from games import queries
from games.puzzles import game_id_of
from games.schedule import MIN_GAP_DAYS, draw_round, round_of
from servicekit.clock import Clock
from servicekit.databases import write
from servicekit.problems import Conflict, Unavailable
from servicekit.sessions import Session


async def get_answer(answers: Database, *, game_id: int) -> str:
    answer = await queries.find_answer(answers, game_id=game_id)
    return answer if answer is not None else await write(answers, partial(draw_answer, game_id=game_id))


async def draw_answer(answers: Session, *, game_id: int) -> str:
    """Draws the round that the game belongs to. Raises Unavailable if there is nothing to draw from.

    The write lock is held from before the candidates are read, so of two instances that come here at midnight the
    second finds the first one's round, and its own changes nothing.
    """
    candidates = await queries.list_candidates(answers)
    if not candidates:
        raise Unavailable("There are no words to draw an answer from. Make the databases with bin/init.")
    games = round_of(game_id, len(candidates))
    before = range(max(0, games.start - MIN_GAP_DAYS), games.start)
    previous = await queries.list_answers(answers, games=before)
    words = draw_round(candidates, previous, random.SystemRandom())
    await queries.insert_answers(answers, drawn=dict(zip(games, words, strict=True)))
    answer = await queries.find_answer(answers, game_id=game_id)
    assert answer is not None, f"round {games} holds game {game_id}"  # noqa: S101 - round_of's promise; for the types
    return answer


def require_future(game_id: int, clock: Clock) -> None:
    """Raises Conflict for today's game and past ones: somebody may be playing them."""
    today = game_id_of(clock().date())
    if game_id <= today:
        raise Conflict(f"The answer of game {game_id} is fixed; the first that may be set is that of game {today + 1}.")


async def replace_answer(answers: Session, *, clock: Clock, game_id: int, answer: str) -> None:
    require_future(game_id, clock)  # once more, under the lock: while we waited for it, midnight may have come
    await queries.upsert_answer(answers, game_id=game_id, answer=answer)
