"""The paths of databases and keys, taken from the services' own Settings so that scripts and services agree."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from databases import DatabaseURL

import games.settings
import stats.settings
import users.settings
import words.settings
from tools.config.settings import require_valid_settings
from tools.script import run_script

ROOT = Path(__file__).resolve().parents[2]
SHARE = ROOT / "share"


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

    @property
    def folder(self) -> Path:
        """Holds the lock and the journal of the scripts (tools/data/atomic_files.py)."""
        return self.users.parent

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
    return Path(DatabaseURL(url).database)


def read_data_paths() -> DataPaths:
    """Reads the environment and the `.env` of the working directory, to which the paths are relative.

    Raises SystemExit with a sentence if a setting is invalid, if stats and users name different users databases, or if
    two files have the same path.
    """
    require_valid_settings()
    users_settings = users.settings.Settings()
    stats_settings = stats.settings.Settings()
    games_settings = games.settings.Settings()
    data_paths = DataPaths(
        users=to_path(users_settings.database_url),
        shards=tuple(to_path(url) for url in stats_settings.shard_urls),
        words=to_path(words.settings.Settings().database_url),
        answers=to_path(games_settings.answers_url),
        plays=to_path(games_settings.plays_url),
        private_key=users_settings.token_private_key_file,
        public_key=users_settings.token_public_key_file,
        service_token=games_settings.service_token_file,
    )
    if to_path(stats_settings.users_url) != data_paths.users:
        raise SystemExit(
            f"STATS_USERS_URL ({stats_settings.users_url}) and USERS_DATABASE_URL ({users_settings.database_url}) must"
            " be equal: change one of them."
        )
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
