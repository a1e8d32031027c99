"""Where the databases are: what the services' own Settings say, so that a script and a service never disagree."""

from dataclasses import dataclass
from pathlib import Path

from databases import DatabaseURL
from pydantic import ValidationError

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
    def folder(self) -> Path:
        """Where the scripts keep the lock and the journal of their work (tools/staging.py)."""
        return self.users.parent

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

    Raises SystemExit with a sentence if a setting is wrong, if stats and users disagree on where the users database
    is, or if two databases are to be one file.
    """
    try:
        users_url = users.settings.Settings().database_url
        stats_settings = stats.settings.Settings()
        locations = Locations(
            users=to_path(users_url),
            shards=tuple(to_path(url) for url in stats_settings.shard_urls),
            words=to_path(words.settings.Settings().database_url),
            answers=to_path(games.settings.Settings().answers_url),
        )
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SystemExit(f"The environment or .env is wrong: {'; '.join(problems)}.") from error
    if to_path(stats_settings.users_url) != locations.users:
        raise SystemExit(
            f"STATS_USERS_URL ({stats_settings.users_url}) and USERS_DATABASE_URL ({users_url}) must agree."
        )
    if len({path.absolute() for path in locations.all}) < len(locations.all):
        raise SystemExit(f"Each database needs a file of its own: {', '.join(map(str, locations.all))}.")
    return locations
