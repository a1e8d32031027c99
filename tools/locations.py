"""Where the databases are: what the services' own Settings say, so that a script and a service never disagree."""

from dataclasses import dataclass
from pathlib import Path

from databases import DatabaseURL

import games.settings
import stats.settings
import users.settings
import words.settings

ROOT = Path(__file__).resolve().parent.parent
SHARE = ROOT / "share"


@dataclass(frozen=True, slots=True)
class Locations:
    users: Path
    shards: tuple[Path, ...]
    words: Path
    answers: Path

    @property
    def players(self) -> tuple[Path, ...]:
        """The files that know the players: users and shards, which only make sense together."""
        return (self.users, *self.shards)

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.players, self.words, self.answers)


def to_path(url: str) -> Path:
    return Path(DatabaseURL(url).database)


def read_locations() -> Locations:
    """Paths relative to the working directory, as the environment and `.env` there say.

    Raises SystemExit with a sentence if stats and users disagree on where the users database is.
    """
    users_url = users.settings.Settings().database_url
    stats_settings = stats.settings.Settings()
    if to_path(stats_settings.users_url) != to_path(users_url):
        raise SystemExit(
            f"STATS_USERS_URL ({stats_settings.users_url}) and USERS_DATABASE_URL ({users_url}) must agree."
        )
    return Locations(
        users=to_path(users_url),
        shards=tuple(to_path(url) for url in stats_settings.shard_urls),
        words=to_path(words.settings.Settings().database_url),
        answers=to_path(games.settings.Settings().answers_url),
    )
