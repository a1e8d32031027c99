"""All four services on databases with sample data, for tests that send arbitrary requests."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI
from fastapi.testclient import TestClient

import games.app
import games.settings
import stats.app
import stats.settings
import users.app
import users.settings
import words.app
import words.settings
from servicekit.auth.tokens import Scope
from tests.support.passwords import CountingHash
from tests.support.servers import serving
from tests.support.tokens import TokenKeys
from tools.config.paths import DataPaths
from users.queries import digest_token

SERVICES = ("users", "words", "games", "stats")

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = 1983
"""The id of that day's game."""
ANSWERS = {TODAY - 3: "zebra", TODAY - 2: "geese", TODAY - 1: "daddy", TODAY: "ahead", TODAY + 1: "crane"}
WORDS = ("abbey", "ahead", "crane", "daddy", "eerie", "geese", "zebra")
WRONG = tuple(word for word in WORDS if word != ANSWERS[TODAY])
"""Six wrong guesses, with which today's game is lost."""

PLAYERS = tuple(UUID(f"5d0b2f6e-9b0d-4f6c-8f0e-{number:012}") for number in range(10))
"""The first six have made zero to five guesses in today's game and have won yesterday's. Then come one who has won
today's game, one who has lost it, and one in hard mode. The last has not started it."""
WON, LOST, HARD = PLAYERS[6:9]
UNKNOWN_PLAYER = UUID("00000000-0000-4000-8000-000000000000")
"""An id that no user has."""
PASSWORD = "correct horse battery"  # noqa: S105 - of test players
SIGNED_IN = PLAYERS[2]
"""A player with a session."""
SESSION_TOKEN = "the-cookie-of-a-session"  # noqa: S105 - as above
LEGACY_PLAYER = UUID(int=7)
"""Imported from an old database: a name that is invalid for new players, and no password."""
LEGACY_NAME = "o'neill  ümlaut;--"


def name_of(player: UUID) -> str:
    return f"player-{PLAYERS.index(player)}"


class Suite:
    """Creates the apps of all services on the databases in a folder."""

    def __init__(self, folder: Path, keys: TokenKeys) -> None:
        self.data_paths = DataPaths.in_folder(folder)
        self.keys = keys

    def headers(self, scope: Scope, user_id: UUID | None = None) -> dict[str, str]:
        return self.keys.headers(scope, user_id)

    @contextmanager
    def app(self, service: str) -> Iterator[FastAPI]:
        """A service's app; for games, its words and stats services run as long as the block."""
        if service != "games":
            yield self._make_app(service)
            return
        with ExitStack() as stack:
            words_url, stats_url = (stack.enter_context(serving(self._make_app(name))) for name in ("words", "stats"))
            yield self._make_games_app(words_url, stats_url)

    def _make_app(self, service: str) -> FastAPI:
        key = self.keys.public_key_file
        users_url = f"sqlite:///{self.data_paths.users}"
        match service:
            case "users":
                return users.app.create_app(
                    users.settings.Settings(
                        _env_file=None,
                        instance="users.1",
                        database_url=users_url,
                        token_public_key_file=key,
                        token_private_key_file=self.keys.private_key_file,
                    ),
                    hasher=CountingHash(),
                )
            case "words":
                return words.app.create_app(
                    words.settings.Settings(
                        _env_file=None,
                        instance="words.1",
                        database_url=f"sqlite:///{self.data_paths.words}",
                        token_public_key_file=key,
                    )
                )
        settings = stats.settings.Settings(
            _env_file=None,
            instance="stats.1",
            users_url=users_url,
            shard_urls=tuple(f"sqlite:///{shard}" for shard in self.data_paths.shards),
            token_public_key_file=key,
        )
        return stats.app.create_app(settings, clock=lambda: NOON)

    def _make_games_app(self, words_url: str, stats_url: str) -> FastAPI:
        token_file = self.data_paths.service_token
        token_file.write_text(self.keys.token(Scope.SERVICE), encoding="ascii")
        settings = games.settings.Settings(
            _env_file=None,
            instance="games.1",
            answers_url=f"sqlite:///{self.data_paths.answers}",
            plays_url=f"sqlite:///{self.data_paths.plays}",
            words_url=words_url,
            stats_url=stats_url,
            service_token_file=token_file,
            token_public_key_file=self.keys.public_key_file,
        )
        return games.app.create_app(settings, clock=lambda: NOON)

    def fill(self) -> None:
        """Stores the sample data that the constants above describe."""
        data_paths = self.data_paths
        password_hash = CountingHash().hash(PASSWORD)
        names = [(player.bytes, name_of(player)) for player in PLAYERS]
        insert(data_paths.users, "users", [*names, (LEGACY_PLAYER.bytes, LEGACY_NAME)])
        insert(data_paths.users, "passwords", [(player.bytes, password_hash) for player in PLAYERS])
        session = (1, digest_token(SESSION_TOKEN), SIGNED_IN.bytes, "2026-01-01 00:00:00", "9999-12-31 00:00:00")
        insert(data_paths.users, "sessions", [session])
        insert(data_paths.words, "words", [(word,) for word in WORDS])
        insert(data_paths.answers, "candidates", [(word,) for word in WORDS])
        insert(
            data_paths.answers,
            "answers",
            [(game, word, "drawn" if game <= TODAY else "operator") for game, word in ANSWERS.items()],
        )
        played = {player: WRONG[:number] for number, player in enumerate(PLAYERS[:6])}
        played |= {WON: (WRONG[0], ANSWERS[TODAY]), LOST: WRONG, HARD: WRONG[:1]}
        begun = [(player.bytes, TODAY, player == HARD, "2026-11-23 08:00:00") for player in played]
        guesses = [
            (player.bytes, TODAY, attempt, word)
            for player, words in played.items()
            for attempt, word in enumerate(words, start=1)
        ]
        insert(data_paths.plays, "plays", begun)
        insert(data_paths.plays, "guesses", guesses)
        with TestClient(self._make_app("stats"), headers=self.headers(Scope.SERVICE)) as client:
            results = [(TODAY, WON, 2), (TODAY, LOST, 6), *((TODAY - 1, player, 4) for player in PLAYERS[:6])]
            for game, player, number in results:
                result = {"game_id": game, "won": player != LOST, "guesses": number}
                client.post(f"/users/{player}/games", json=result).raise_for_status()

    def restore(self, filled_databases: Path) -> None:
        """Restores all databases from those in a folder, also while services have them open."""
        for database in self.data_paths.all:
            copy(filled_databases / database.name, database)


def copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target)) as writer:
        writer.execute("PRAGMA synchronous = OFF")
        reader.backup(writer)


def insert(database: Path, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    marks = ", ".join("?" for _ in rows[0])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - a constant table name
