"""The answer of a game; where none has been drawn yet, a new round of all candidates is drawn."""

import random

from databases import Database

from games import queries
from games.schedule import MIN_GAP_DAYS, draw_round, round_of
from servicekit.databases import transaction
from servicekit.errors import Unavailable


async def get_answer(answers: Database, *, game_id: int) -> str:
    answer = await queries.find_answer(answers, game_id=game_id)
    return answer if answer is not None else await draw_answer(answers, game_id=game_id)


async def draw_answer(answers: Database, *, game_id: int) -> str:
    """Draws the round that the game belongs to. Raises Unavailable if there is nothing to draw from.

    The write lock is held from before the candidates are read, so of two instances that come here at midnight the
    second finds the first one's round, and its own changes nothing.
    """
    async with transaction(answers) as connection:
        candidates = await queries.list_candidates(connection)
        if not candidates:
            raise Unavailable("There are no words to draw an answer from. Make the databases with bin/init.")
        games = round_of(game_id, len(candidates))
        before = range(max(0, games.start - MIN_GAP_DAYS), games.start)
        previous = await queries.list_answers(connection, games=before)
        words = draw_round(candidates, previous, random.SystemRandom())
        await queries.insert_answers(connection, drawn=dict(zip(games, words, strict=True)))
        answer = await queries.find_answer(connection, game_id=game_id)
    assert answer is not None, f"round {games} holds game {game_id}"  # noqa: S101 - round_of's promise; for the types
    return answer
