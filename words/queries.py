"""All SQL of words."""

import json
from collections.abc import Sequence

from servicekit.db.database import Database, Readable
from servicekit.db.engine import Engine
from servicekit.db.transaction import Transaction

SCHEMA_VERSION = 1
"""Of share/words.sql and share/postgresql/words.sql, whose tables these statements expect."""

SELECT_WORD = "SELECT word FROM words WHERE word = :word"


async def has_word(words: Readable, *, word: str) -> bool:
    return await words.fetch_one(SELECT_WORD, {"word": word}) is not None


SELECT_THESE = {
    Engine.SQLITE: "SELECT word FROM words WHERE word IN (SELECT value FROM json_each(:wanted)) ORDER BY word",
    Engine.POSTGRESQL: (
        "SELECT word FROM words WHERE word = ANY (ARRAY(SELECT json_array_elements_text(:wanted))) ORDER BY word"
    ),
}


async def find_words(words: Readable, *, wanted: Sequence[str]) -> list[str]:
    """Those of them that there are, in alphabetical order."""
    return [row["word"] for row in await words.fetch_all(SELECT_THESE[words.engine], {"wanted": json.dumps(wanted)})]


INSERT_WORD = "INSERT INTO words (word) VALUES (:word) ON CONFLICT (word) DO NOTHING RETURNING word"


async def insert_word(words: Transaction, *, word: str) -> bool:
    """False if it was there."""
    return await words.fetch_one(INSERT_WORD, {"word": word}) is not None


DELETE_WORD = "DELETE FROM words WHERE word = :word RETURNING word"


async def delete_word(words: Transaction, *, word: str) -> bool:
    """False if it was not there."""
    return await words.fetch_one(DELETE_WORD, {"word": word}) is not None


SELECT_WORDS = (
    "SELECT word FROM words WHERE word > :after AND word >= :prefix AND word < :beyond ORDER BY word LIMIT :limit"
)


async def list_words(words: Readable, *, prefix: str, after: str, limit: int) -> list[str]:
    """In alphabetical order, from the word that follows `after`; both may be empty."""
    beyond = prefix + "{"  # the character after z
    values = {"prefix": prefix, "beyond": beyond, "after": after, "limit": limit}
    return [row["word"] for row in await words.fetch_all(SELECT_WORDS, values)]


ANY_WORD = "SELECT word FROM words LIMIT 1"


async def check_words(words: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await words.fetch_one(ANY_WORD)
