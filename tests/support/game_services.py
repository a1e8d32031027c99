"""The words and stats services that tests of games run under a real uvicorn."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI

import stats.app
import stats.settings
import words.app
import words.settings
from tests.support.players import ANSWER, NO_CANDIDATE, WRONG
from tests.support.tokens import TokenKeys
from tools.config.paths import SHARE, DataPaths
from tools.data.atomic_files import create_database, seal

CANDIDATES = tuple(sorted((ANSWER, *WRONG)))


def make_words_app(path: Path) -> FastAPI:
    """A words app on a new database, whose dictionary holds the candidates and NO_CANDIDATE."""
    with closing(create_database(path, SHARE / "words.sql")) as connection:
        connection.executemany("INSERT INTO words VALUES (?)", [(word,) for word in (*CANDIDATES, NO_CANDIDATE)])
    seal(path)
    return words.app.create_app(words.settings.Settings(_env_file=None, database_url=f"sqlite:///{path}"))


@dataclass(frozen=True, slots=True)
class Stats:
    """The databases of a stats service, shared by all tests of the session; each test registers its own players."""

    data_paths: DataPaths
    keys: TokenKeys

    def make_app(self) -> FastAPI:
        settings = stats.settings.Settings(
            _env_file=None,
            users_url=f"sqlite:///{self.data_paths.users}",
            shard_urls=tuple(f"sqlite:///{shard}" for shard in self.data_paths.shards),
            token_public_key_file=self.keys.public_key_file,
        )
        late = datetime(9999, 1, 1, tzinfo=UTC)  # later than any time of a test's clock, so no result is in the future
        return stats.app.create_app(settings, clock=lambda: late)

    def register(self, user_id: UUID) -> None:
        with closing(sqlite3.connect(self.data_paths.users)) as connection, connection:
            values = (user_id.bytes, str(user_id))
            connection.execute("INSERT INTO users (user_id, username) VALUES (?, ?)", values)

    def list_results(self, user_id: UUID) -> list[tuple[int, bool, int, str]]:
        """A player's stored results in all shards: game id, won, guesses, finished."""
        results = []
        for shard in self.data_paths.shards:
            with closing(sqlite3.connect(shard)) as connection:
                results += connection.execute(
                    "SELECT game_id, won, guesses, finished FROM games WHERE user_id = ?", (user_id.bytes,)
                ).fetchall()
        return results
