"""bin/shard: splits old databases over the shards."""

import argparse
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from tqdm import tqdm

from games.puzzles import game_id_of
from servicekit.db.column_types import to_stored_time
from stats.results import MAX_AHEAD
from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data.atomic_files import lock_unused, open_to_read, replace_databases, staged, staging_lock
from tools.data.existing_data import list_populated
from tools.data.init import create_empty
from tools.data.legacy import gather
from tools.data.legacy_faults import find_game_faults, find_user_faults
from tools.data.legacy_ids import ByteOrder, identify
from tools.data.shard_writer import (
    Content,
    Split,
    build_shard,
    build_users,
    count_distinct_games,
    count_games,
    count_games_from,
    number_users,
    read_players,
    read_users,
    split_games,
)
from tools.data.upgrades import refuse_earlier_versions
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Brings in old databases: splits the users and games of all sources over the shards. A user whose user_id is an
integer gets a random UUID; a user_id that is a UUID is kept. All or nothing: nothing changes if a row cannot be right
or the databases have players already, nor does it on a second run."""
SOURCE_HELP = """an old database, which is only read: a SQLite file, or the SQL text that sqlite3's .dump gives; it has
the tables or views users(user_id, username) and games(user_id, game_id, finished, guesses, won), or one of the two"""
BYTE_ORDER_HELP = """of UUIDs that are stored as 16 bytes: big as in RFC 9562 (Python's UUID.bytes), or mixed as in
Microsoft's GUIDs (UUID.bytes_le); needed only where the version and variant bits of all ids do not tell"""

SCRATCH = "bin-shard-scratch.db"
"""In the databases' folder, and never under this name: see `tools.data.atomic_files.staged`."""


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


def split_sources(
    legacy: sqlite3.Connection, sources: Sequence[Path], *, byte_order: ByteOrder | None, shards: int, now: datetime
) -> Split:
    """Raises SystemExit with all that is wrong if a row cannot be right."""
    latest = to_stored_time(now + MAX_AHEAD)
    identities = identify(legacy, byte_order)
    users = number_users(legacy, identities.ids, shards=shards)
    faults = find_user_faults(legacy, sources, kind=identities.kind)
    split = (
        None
        if faults
        else split_games(
            legacy, read_players(legacy, users, integers=identities.integers, shards=shards), latest=latest
        )
    )
    if split is None or split.games < count_games(legacy):
        faults += find_game_faults(legacy, sources, latest=latest)
        if split is None or faults:
            names = ", ".join(map(str, sources))
            raise SystemExit("\n  ".join([f"{names}: rows cannot be right, so nothing was changed:", *faults]))
        check_repeated(legacy, split)
    return split


def check_repeated(legacy: sqlite3.Connection, split: Split) -> None:
    """Raises SystemExit if rows were left out that do not repeat a game with the same result.

    Those that do are taken once, as stats answers 200 to a result that it has: nothing is lost by it, and databases
    that were split by a script of one's own often have rows in two places.
    """
    if (games := count_distinct_games(legacy)) != split.games:
        raise SystemExit(f"{split.games:,} of {games:,} games were taken, so nothing was changed.")


def check_users(path: Path, split: Split) -> None:
    """Raises SystemExit if a user has not arrived."""
    if read_users(path) != split.expect_users():
        raise SystemExit("The users that were written are not those of the source, so nothing was changed.")


def build_all(
    split: Split, legacy: sqlite3.Connection, data_paths: DataPaths, *, checksum: str, now: datetime
) -> list[Content]:
    """Makes the staged file of each database of the players, and returns what was read back from each shard.

    Raises SystemExit if a row has not arrived.
    """
    users = staged(data_paths.users)
    build_users(users, split, checksum=checksum, imported_at=to_stored_time(now))
    check_users(users, split)
    contents = []
    for number, path in enumerate(tqdm(data_paths.shards, desc="shards", leave=False, disable=None)):
        content, expected = build_shard(staged(path), legacy, number), split.expect_shard(number)
        if content != expected:
            raise SystemExit(f"{path.name} got {content} and should have {expected}, so nothing was changed.")
        contents.append(content)
    return contents


def import_sources(
    sources: Sequence[Path], data_paths: DataPaths, *, byte_order: ByteOrder | None = None
) -> tuple[str, list[str]]:
    """The summary, and what else the operator should know.

    Raises SystemExit with a sentence, or InUse, and then nothing has changed: the databases are built beside their
    places and put there all or none, while no service has one open (tools/data/atomic_files.py).
    """
    now = datetime.now(UTC)
    names = ", ".join(map(str, sources))
    scratch = data_paths.folder / SCRATCH
    steps = tqdm(total=4, desc="bin/shard", unit="step", leave=False, disable=None)
    with staging_lock(data_paths.folder, (*data_paths.players, scratch)), steps:
        refuse_earlier_versions(data_paths)
        inhabited, imports = list_populated(data_paths), read_imports(data_paths.users)
        if not imports:
            refuse_inhabited(inhabited)
        if not inhabited:
            with lock_unused(data_paths.players):
                pass  # a database in use is better refused now than after all the work
        with gather(sources, staged(scratch)) as legacy:
            steps.update()
            split = split_sources(legacy, sources, byte_order=byte_order, shards=len(data_paths.shards), now=now)
            steps.update()
            if (checksum := split.sum_source()) in imports:
                return f"{names}: imported on {imports[checksum]} UTC already, so nothing was changed", []
            refuse_inhabited(inhabited)
            steps.update()
            contents = build_all(split, legacy, data_paths, checksum=checksum, now=now)
            steps.update()
            remarks = list_remarks(legacy, split, today=now.date())
        create_empty("plays.sql", staged(data_paths.plays))
        replace_databases(data_paths.players, data_paths.folder)
    return summarize(split, names, data_paths, contents), remarks


def list_remarks(legacy: sqlite3.Connection, split: Split, *, today: date) -> list[str]:
    """Sentences on rows that arrived in another way than the operator may expect."""
    remarks = []
    if repeated := count_games(legacy) - split.games:
        remarks.append(
            f"Rows of games that repeat another one with the same result, and were taken once: {repeated:,}."
        )
    if coming := count_games_from(legacy, game_id_of(today)):
        remarks.append(
            f"Games that have today's number ({game_id_of(today):,}) or a later one: {coming:,}. Their players cannot"
            " play these puzzles, since each has a result already."
        )
    return remarks


def summarize(split: Split, names: str, data_paths: DataPaths, contents: Sequence[Content]) -> str:
    shards = ", ".join(
        f"{path.name} has {content.games:,} (checksum {content.checksum[:16]})"
        for path, content in zip(data_paths.shards, contents, strict=True)
    )
    return f"{count(len(split.players), 'user')} and {count(split.games, 'game')} of {names} have all arrived: {shards}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/shard", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+", metavar="SOURCE", help=SOURCE_HELP)
    parser.add_argument("--byte-order", type=ByteOrder, choices=list(ByteOrder), help=BYTE_ORDER_HELP)
    arguments = parser.parse_args(argv)
    sources = [source.resolve() for source in arguments.sources]  # before the working directory changes
    os.chdir(ROOT)
    start = time.monotonic()
    summary, remarks = import_sources(sources, read_data_paths(), byte_order=arguments.byte_order)
    for remark in remarks:
        print(remark)
    print(f"{summary} ({time.monotonic() - start:.1f} s).")
    return 0


if __name__ == "__main__":
    run_script(main)
