"""All SQL of games."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from databases.interfaces import Record

from games.rules.plays import Play, PlayResult
from servicekit.db.database import Database, Readable
from servicekit.db.transaction import Transaction

ANSWERS_SCHEMA_VERSION = 1
PLAYS_SCHEMA_VERSION = 1
"""Of answers.sql and plays.sql in share/ and share/postgresql/, whose tables these statements expect."""

SELECT_ANSWER = "SELECT answer FROM answers WHERE game_id = :game_id"


async def find_answer(answers: Readable, *, game_id: int) -> str | None:
    """None if no answer of this game has been drawn yet."""
    row = await answers.fetch_one(SELECT_ANSWER, {"game_id": game_id})
    return None if row is None else str(row["answer"])


SELECT_ANSWERS = "SELECT game_id, answer FROM answers WHERE game_id <= :last_game"


async def list_answers(answers: Readable, *, last_game: int) -> dict[int, str]:
    """By game, of those games up to the last one that have an answer."""
    rows = await answers.fetch_all(SELECT_ANSWERS, {"last_game": last_game})
    return {row["game_id"]: row["answer"] for row in rows}


INSERT_ANSWER = "INSERT INTO answers (game_id, answer, source) VALUES (:game_id, :answer, 'drawn')"


async def insert_answers(answers: Transaction, *, drawn: Mapping[int, str]) -> None:
    """The games must have no answer: check that in the same transaction."""
    await answers.execute_many(
        INSERT_ANSWER, [{"game_id": game_id, "answer": answer} for game_id, answer in drawn.items()]
    )


UPSERT_ANSWER = (
    "INSERT INTO answers (game_id, answer, source) VALUES (:game_id, :answer, 'operator')"
    " ON CONFLICT (game_id) DO UPDATE SET answer = excluded.answer, source = excluded.source"
    " WHERE answers.source <> 'drawn' RETURNING game_id"
)


async def upsert_answer(answers: Transaction, *, game_id: int, answer: str) -> bool:
    """An administrator's choice. False, and nothing changes, if the answer has been drawn already."""
    return await answers.fetch_one(UPSERT_ANSWER, {"game_id": game_id, "answer": answer}) is not None


SELECT_CANDIDATES = "SELECT word FROM candidates ORDER BY word"


async def list_candidates(answers: Readable) -> list[str]:
    """All words that answers are drawn from."""
    return [row["word"] for row in await answers.fetch_all(SELECT_CANDIDATES)]


SELECT_CANDIDATE = "SELECT 1 FROM candidates WHERE word = :word"


async def is_candidate(answers: Readable, *, word: str) -> bool:
    return await answers.fetch_one(SELECT_CANDIDATE, {"word": word}) is not None


ANY_ANSWER = "SELECT game_id FROM answers LIMIT 1"


async def check_answers(answers: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await answers.fetch_one(ANY_ANSWER)


SELECT_BEGUN = "SELECT 1 FROM plays WHERE user_id = :user_id AND game_id = :game_id"


async def is_begun(plays: Readable, *, user_id: UUID, game_id: int) -> bool:
    return await plays.fetch_one(SELECT_BEGUN, {"user_id": user_id, "game_id": game_id}) is not None


SELECT_PLAY = (
    "SELECT plays.hard, guesses.guess FROM plays LEFT JOIN guesses USING (user_id, game_id)"
    " WHERE plays.user_id = :user_id AND plays.game_id = :game_id ORDER BY guesses.attempt"
)


async def find_play(plays: Readable, *, user_id: UUID, game_id: int, answer: str) -> Play | None:
    """None if it was never begun. `answer`: of the game, which another database holds."""
    rows = await plays.fetch_all(SELECT_PLAY, {"user_id": user_id, "game_id": game_id})
    if not rows:
        return None
    guesses = tuple(row["guess"] for row in rows if row["guess"] is not None)
    return Play(hard=rows[0]["hard"], guesses=guesses, answer=answer)


INSERT_PLAY = (
    "INSERT INTO plays (user_id, game_id, hard, begun) VALUES (:user_id, :game_id, :hard, :begun)"
    " ON CONFLICT (user_id, game_id) DO NOTHING RETURNING game_id"
)


async def insert_play(plays: Transaction, *, user_id: UUID, game_id: int, hard: bool, begun: datetime) -> bool:
    """False, and nothing changes, if it was begun already."""
    values = {"user_id": user_id, "game_id": game_id, "hard": hard, "begun": begun}
    return await plays.fetch_one(INSERT_PLAY, values) is not None


INSERT_GUESS = "INSERT INTO guesses (user_id, game_id, attempt, guess) VALUES (:user_id, :game_id, :attempt, :guess)"


async def insert_guess(plays: Transaction, *, user_id: UUID, game_id: int, attempt: int, guess: str) -> None:
    """The attempt must have no guess: check that in the same transaction."""
    values = {"user_id": user_id, "game_id": game_id, "attempt": attempt, "guess": guess}
    await plays.execute(INSERT_GUESS, values)


INSERT_INTO_OUTBOX = (
    "INSERT INTO outbox (user_id, game_id, won, guesses, finished)"
    " VALUES (:user_id, :game_id, :won, :guesses, :finished)"
)


async def insert_into_outbox(plays: Transaction, *, result: PlayResult) -> None:
    """Puts a result into the outbox."""
    values = {
        "user_id": result.user_id,
        "game_id": result.game_id,
        "won": result.won,
        "guesses": result.guesses,
        "finished": result.finished,
    }
    await plays.execute(INSERT_INTO_OUTBOX, values)


def row_to_result(row: Record) -> PlayResult:
    return PlayResult(
        user_id=row["user_id"],
        game_id=row["game_id"],
        won=row["won"],
        guesses=row["guesses"],
        finished=row["finished"],
    )


SELECT_WAITING_RESULT = (
    "SELECT user_id, game_id, won, guesses, finished FROM outbox"
    " WHERE user_id = :user_id AND game_id = :game_id AND refused IS NULL"
)


async def find_waiting(plays: Readable, *, user_id: UUID, game_id: int) -> PlayResult | None:
    """None if stats has taken the result, or refused it for good."""
    row = await plays.fetch_one(SELECT_WAITING_RESULT, {"user_id": user_id, "game_id": game_id})
    return None if row is None else row_to_result(row)


class OutboxKey(NamedTuple):
    user_id: UUID
    game_id: int


BEFORE_ALL = OutboxKey(UUID(int=0), -1)

SELECT_WAITING_RESULTS = (
    "SELECT user_id, game_id, won, guesses, finished FROM outbox"
    " WHERE (user_id, game_id) > (:user_id, :game_id) AND refused IS NULL ORDER BY user_id, game_id LIMIT :limit"
)


async def list_waiting(plays: Readable, *, after: OutboxKey, limit: int) -> list[PlayResult]:
    """Results that stats has not taken yet, in the order of the keys, from the one that follows `after`."""
    values = {"user_id": after.user_id, "game_id": after.game_id, "limit": limit}
    return [row_to_result(row) for row in await plays.fetch_all(SELECT_WAITING_RESULTS, values)]


SELECT_REFUSAL = "SELECT refused FROM outbox WHERE user_id = :user_id AND game_id = :game_id"


async def find_refusal(plays: Readable, *, user_id: UUID, game_id: int) -> str | None:
    """Why stats has refused the result of a play for good; None if it has not."""
    row = await plays.fetch_one(SELECT_REFUSAL, {"user_id": user_id, "game_id": game_id})
    return None if row is None else row["refused"]


DELETE_RESULT = "DELETE FROM outbox WHERE user_id = :user_id AND game_id = :game_id"


async def delete_result(plays: Transaction, *, user_id: UUID, game_id: int) -> None:
    """After its delivery; another instance may have deleted it before."""
    await plays.execute(DELETE_RESULT, {"user_id": user_id, "game_id": game_id})


UPDATE_REFUSED = "UPDATE outbox SET refused = :reason WHERE user_id = :user_id AND game_id = :game_id"


async def mark_refused(plays: Transaction, *, user_id: UUID, game_id: int, reason: str) -> None:
    """It is no longer delivered, and stays for the operator."""
    await plays.execute(UPDATE_REFUSED, {"user_id": user_id, "game_id": game_id, "reason": reason})


COUNT_RESULTS = "SELECT COUNT(*) - COUNT(refused) AS waiting, COUNT(refused) AS refused FROM outbox"


async def count_results(plays: Readable) -> tuple[int, int]:
    """How many wait to be delivered, and how many stats has refused."""
    row = await plays.fetch_one(COUNT_RESULTS)
    assert row is not None, "an aggregate has a row"  # noqa: S101 - tells mypy that COUNT gives a row
    return row["waiting"], row["refused"]


ANY_PLAY = "SELECT game_id FROM plays LIMIT 1"


async def check_plays(plays: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await plays.fetch_one(ANY_PLAY)
