"""All SQL of games."""

from collections.abc import Mapping

from databases import Database
from databases.core import Connection

from servicekit.databases import Readable
from servicekit.statements import Statement

SELECT_ANSWER = Statement("SELECT answer FROM answers WHERE game_id = :game_id")


async def find_answer(answers: Readable, *, game_id: int) -> str | None:
    """None if no answer of this game has been drawn yet."""
    row = await answers.fetch_one(SELECT_ANSWER, {"game_id": game_id})
    return None if row is None else str(row["answer"])


SELECT_ANSWERS = Statement("SELECT answer FROM answers WHERE game_id >= :first AND game_id <= :last ORDER BY game_id")


async def list_answers(answers: Readable, *, games: range) -> list[str]:
    """Of those games that have one, in the order of the games."""
    rows = await answers.fetch_all(SELECT_ANSWERS, {"first": games.start, "last": games.stop - 1})
    return [row["answer"] for row in rows]


INSERT_ANSWER = Statement(
    "INSERT INTO answers (game_id, answer) VALUES (:game_id, :answer) ON CONFLICT (game_id) DO NOTHING"
)


async def insert_answers(answers: Connection, *, drawn: Mapping[int, str]) -> None:
    """A game that has an answer already (an administrator's) keeps it."""
    await answers.execute_many(
        INSERT_ANSWER, [{"game_id": game_id, "answer": answer} for game_id, answer in drawn.items()]
    )


UPSERT_ANSWER = Statement(
    "INSERT INTO answers (game_id, answer) VALUES (:game_id, :answer)"
    " ON CONFLICT (game_id) DO UPDATE SET answer = excluded.answer"
)


async def upsert_answer(answers: Connection, *, game_id: int, answer: str) -> None:
    await answers.execute(UPSERT_ANSWER, {"game_id": game_id, "answer": answer})


SELECT_CANDIDATES = Statement("SELECT word FROM candidates ORDER BY word")


async def list_candidates(answers: Readable) -> list[str]:
    """All words that answers are drawn from."""
    return [row["word"] for row in await answers.fetch_all(SELECT_CANDIDATES)]


ANY_ANSWER = Statement("SELECT game_id FROM answers LIMIT 1")


async def check_answers(answers: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await answers.fetch_one(ANY_ANSWER)
