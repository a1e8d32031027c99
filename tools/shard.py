"""bin/shard: splits an old single database over the shards."""

import argparse
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from servicekit.values import to_stored_time
from stats.results import MAX_AHEAD
from tools.contents import list_inhabited
from tools.init import make_empty
from tools.legacy import GAME_FAULTS, USER_FAULTS, find_faults, open_legacy, refusing_unreadable
from tools.locations import ROOT, Locations, read_locations
from tools.script import run_script
from tools.splitting import Content, Split, build_shard, build_users, read_users, split_legacy
from tools.staging import exclusive, locked_unused, open_to_read, replace_databases, staged
from tools.wording import HelpFormatter

HELP = """Brings in an old single database: gives each user a UUID and splits the games over the shards. All or nothing:
nothing changes if a row cannot be right or the databases have players already, nor does it on a second run."""
SOURCE_HELP = """the old database, which is only read: a SQLite file, or the SQL text that .dump of sqlite3 gives, with
the tables users(user_id, username) and games(user_id, game_id, finished, guesses, won)"""


def read_imports(users: Path) -> dict[str, str]:
    """When, in UTC, which source was brought in, by its checksum."""
    if not users.exists():
        return {}
    with closing(open_to_read(users)) as database:
        return dict(database.execute("SELECT checksum, imported_at FROM imports").fetchall())


def refuse_inhabited(inhabited: Sequence[Path]) -> None:
    """Raises SystemExit if there is anything to lose."""
    if inhabited:
        raise SystemExit(
            f"{', '.join(map(str, inhabited))} already has players, and only empty databases can be filled: nothing"
            " was changed. bin/init --force makes empty ones, and loses what there is."
        )


def split_source(legacy: sqlite3.Connection, source: Path, *, shards: int, now: datetime) -> Split:
    """Raises SystemExit with all that is wrong if a row cannot be right."""
    latest = to_stored_time(now + MAX_AHEAD)
    with refusing_unreadable(source):
        faults = find_faults(legacy, USER_FAULTS, latest=latest)
        split = None if faults else split_legacy(legacy, shards=shards, latest=latest)
        if split is None:
            faults += find_faults(legacy, GAME_FAULTS, latest=latest)
            raise SystemExit("\n  ".join([f"{source} has rows that cannot be right, so nothing was changed:", *faults]))
    return split


def check_users(path: Path, split: Split) -> None:
    """Raises SystemExit if a user has not arrived."""
    if read_users(path) != split.expect_users():
        raise SystemExit("The users that were written are not those of the source, so nothing was changed.")


def build_all(
    split: Split, legacy: sqlite3.Connection, locations: Locations, *, checksum: str, now: datetime
) -> list[Content]:
    """Makes the staged file of each database of the players, and returns what was read back from each shard.

    Raises SystemExit if a row has not arrived.
    """
    users = staged(locations.users)
    build_users(users, split, checksum=checksum, imported_at=to_stored_time(now))
    check_users(users, split)
    contents = []
    for number, path in enumerate(tqdm(locations.shards, desc="shards", leave=False, disable=None)):
        content, expected = build_shard(staged(path), legacy, number), split.expect_shard(number)
        if content != expected:
            raise SystemExit(f"{path.name} got {content} and should have {expected}, so nothing was changed.")
        contents.append(content)
    return contents


def import_source(source: Path, locations: Locations) -> str:
    """Returns the summary. Raises SystemExit with a sentence, or InUse, and then nothing has changed."""
    now = datetime.now(UTC)
    steps = tqdm(total=4, desc=source.name, unit="step", leave=False, disable=None)
    with exclusive(locations.folder, locations.players), steps:
        inhabited, imports = list_inhabited(locations), read_imports(locations.users)
        if not imports:
            refuse_inhabited(inhabited)
        if not inhabited:
            with locked_unused(locations.players):
                pass  # a database in use is better refused now than after all the work
        with open_legacy(source) as legacy:
            steps.update()
            split = split_source(legacy, source, shards=len(locations.shards), now=now)
            steps.update()
            if (checksum := split.sum_source()) in imports:
                return f"{source} was imported on {imports[checksum]} UTC already: nothing was changed"
            refuse_inhabited(inhabited)
            steps.update()
            contents = build_all(split, legacy, locations, checksum=checksum, now=now)
            steps.update()
        make_empty("plays.sql", staged(locations.plays))
        replace_databases(locations.players, locations.folder)
    return summarize(split, source, locations, contents)


def summarize(split: Split, source: Path, locations: Locations, contents: Sequence[Content]) -> str:
    shards = ", ".join(
        f"{path.name} has {content.games:,} (checksum {content.checksum[:16]})"
        for path, content in zip(locations.shards, contents, strict=True)
    )
    return f"{len(split.players):,} users and {split.games:,} games of {source} have all arrived: {shards}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/shard", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument("source", type=Path, metavar="SOURCE", help=SOURCE_HELP)
    source = parser.parse_args(argv).source.absolute()  # before the working directory changes
    os.chdir(ROOT)
    start = time.monotonic()
    print(f"{import_source(source, read_locations())} ({time.monotonic() - start:.1f} s).")
    return 0


if __name__ == "__main__":
    run_script(main)
