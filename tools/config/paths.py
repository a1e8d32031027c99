"""The paths of databases and keys, taken from the services' own Settings so that scripts and services agree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import unquote_plus, urlsplit

import games.settings
import stats.settings
import users.settings
import words.settings
from servicekit.settings import hide_password
from tools.config.settings import NO_CHANGES, pick_fields, require_valid_settings
from tools.script import run_script

ROOT = Path(__file__).resolve().parents[2]
SHARE = ROOT / "share"
MIN_TIMEOUT_ON_SERVERS_MS = 100
"""Opening a connection takes up to 10 ms on an idle machine."""


@dataclass(frozen=True, slots=True)
class DataPaths:
    users: Path
    shards: tuple[Path, ...]
    words: Path
    answers: Path
    plays: Path
    private_key: Path
    public_key: Path
    service_token: Path
    """The token with which games posts results to stats."""
    on_servers: Mapping[Path, str] = field(default_factory=dict)
    """The URLs of the databases that are on PostgreSQL, by a path at which no file is: scripts stage their contents
    beside it."""

    @classmethod
    def in_folder(cls, folder: Path, *, shards: int = 3) -> Self:
        """All in one folder, under the names that the default settings have; the settings are not read."""
        return cls(
            users=folder / "users.db",
            shards=tuple(folder / f"games{number}.db" for number in range(shards)),
            words=folder / "words.db",
            answers=folder / "answers.db",
            plays=folder / "plays.db",
            private_key=folder / "tokens.key",
            public_key=folder / "tokens.pub",
            service_token=folder / "games.token",
        )

    def relocate(self, move: Callable[[Path], Path]) -> Self:
        """The same with another path for each file; databases on servers stay there."""
        return replace(
            self,
            users=move(self.users),
            shards=tuple(map(move, self.shards)),
            words=move(self.words),
            answers=move(self.answers),
            plays=move(self.plays),
            private_key=move(self.private_key),
            public_key=move(self.public_key),
            service_token=move(self.service_token),
            on_servers={move(path): url for path, url in self.on_servers.items()},
        )

    @property
    def folder(self) -> Path:
        """Holds the lock and the journal of the scripts (tools/data/atomic_files.py)."""
        return self.users.parent

    @property
    def files(self) -> tuple[Path, ...]:
        """The databases that are files."""
        return tuple(path for path in self.all if path not in self.on_servers)

    def name(self, path: Path) -> str:
        """The path of a database, or its URL without a password, as it may be printed."""
        return hide_password(self.on_servers.get(path, str(path)))

    @property
    def players(self) -> tuple[Path, ...]:
        """The databases that refer to players, and are only consistent together: users, shards and plays."""
        return (self.users, *self.shards, self.plays)

    @property
    def all(self) -> tuple[Path, ...]:
        """The databases."""
        return (*self.players, self.words, self.answers)

    @property
    def keys(self) -> tuple[Path, ...]:
        """The files that tokens depend on; each is derived from the one before."""
        return (self.private_key, self.public_key, self.service_token)


def to_path(url: str) -> Path:
    """As `databases` reads the URL; scripts do not import that package, which takes 0.3 s."""
    return Path(unquote_plus(urlsplit(url).path[1:]))


def is_on_server(url: str) -> bool:
    return url.startswith("postgresql:")


def read_data_paths(changes: Mapping[str, str] = NO_CHANGES) -> DataPaths:
    """Reads the environment and the `.env` of the working directory, to which the paths are relative. `changes` are
    settings by name that replace those.

    Raises SystemExit with a sentence if a setting is invalid, if stats and users name different users databases, or if
    two files have the same path.
    """
    require_valid_settings(changes)
    users_settings = users.settings.Settings(**pick_fields(users.settings.Settings, changes))
    stats_settings = stats.settings.Settings(**pick_fields(stats.settings.Settings, changes))
    games_settings = games.settings.Settings(**pick_fields(games.settings.Settings, changes))
    words_settings = words.settings.Settings(**pick_fields(words.settings.Settings, changes))
    on_servers: dict[Path, str] = {}

    def locate(url: str, name: str) -> Path:
        if not is_on_server(url):
            return to_path(url)
        path = users_settings.token_private_key_file.parent / f".on-server-{name}.db"
        on_servers[path] = url
        return path

    data_paths = DataPaths(
        users=locate(users_settings.database_url, "users"),
        shards=tuple(locate(url, f"games{number}") for number, url in enumerate(stats_settings.shard_urls)),
        words=locate(words_settings.database_url, "words"),
        answers=locate(games_settings.answers_url, "answers"),
        plays=locate(games_settings.plays_url, "plays"),
        on_servers=on_servers,
        private_key=users_settings.token_private_key_file,
        public_key=users_settings.token_public_key_file,
        service_token=games_settings.service_token_file,
    )
    if stats_settings.users_url != users_settings.database_url and (
        on_servers or to_path(stats_settings.users_url) != data_paths.users
    ):
        read, written = hide_password(stats_settings.users_url), hide_password(users_settings.database_url)
        raise SystemExit(
            f"STATS_USERS_URL ({read}) and USERS_DATABASE_URL ({written}) must be equal: change one of them."
        )
    if on_servers and users_settings.busy_timeout_ms < MIN_TIMEOUT_ON_SERVERS_MS:
        raise SystemExit(
            f"BUSY_TIMEOUT_MS is {users_settings.busy_timeout_ms}, but limits every read from PostgreSQL: it should be"
            f" at least {MIN_TIMEOUT_ON_SERVERS_MS}."
        )
    if len(set(on_servers.values())) < len(on_servers):
        urls = ", ".join(map(hide_password, on_servers.values()))
        raise SystemExit(f"Two databases have the same URL: {urls}. Change one of them.")
    files = (*data_paths.all, *data_paths.keys)
    if len({path.absolute() for path in files}) < len(files):
        raise SystemExit(f"Two databases or keys have the same path: {', '.join(map(str, files))}. Change one of them.")
    return data_paths


def main() -> int:
    """Only validates all settings."""
    read_data_paths()
    return 0


if __name__ == "__main__":
    run_script(main)
