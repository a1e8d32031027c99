"""Where databases and keys are: what the services' own Settings say, so that a script and a service never disagree."""

from dataclasses import dataclass
from pathlib import Path

from databases import DatabaseURL

import games.settings
import stats.settings
import users.settings
import words.settings
from tools.config.settings import require_good_settings
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
    """What games shows to stats."""

    @property
    def folder(self) -> Path:
        """Where the scripts keep the lock and the journal of their work (tools/data/atomic_files.py)."""
        return self.users.parent

    @property
    def players(self) -> tuple[Path, ...]:
        """The files that know the players: users, shards and plays, which only make sense together."""
        return (self.users, *self.shards, self.plays)

    @property
    def all(self) -> tuple[Path, ...]:
        """The databases."""
        return (*self.players, self.words, self.answers)

    @property
    def keys(self) -> tuple[Path, ...]:
        """The files that tokens are made of, in the order in which each takes the one before."""
        return (self.private_key, self.public_key, self.service_token)


def to_path(url: str) -> Path:
    return Path(DatabaseURL(url).database)


def read_data_paths() -> DataPaths:
    """Paths relative to the working directory, as the environment and `.env` there say.

    Raises SystemExit with a sentence if a setting is wrong, if stats and users disagree on where the users database
    is, or if two of the files are to be one.
    """
    require_good_settings()
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
            " agree."
        )
    files = (*data_paths.all, *data_paths.keys)
    if len({path.absolute() for path in files}) < len(files):
        raise SystemExit(f"Each database and key needs a file of its own: {', '.join(map(str, files))}.")
    return data_paths


def main() -> int:
    """Checks all settings, and nothing else."""
    read_data_paths()
    return 0


if __name__ == "__main__":
    run_script(main)
