"""bin/shard: imports old databases into the shards."""

import argparse
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from games.rules.puzzles import game_id_of
from servicekit.db.column_types import to_stored_time
from stats.results import MAX_AHEAD
from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data.atomic_files import open_to_read, refuse_in_use, staged, staging_lock
from tools.data.existing_data import list_populated, refuse_populated
from tools.data.init import create_empty, install
from tools.data.legacy import gather
from tools.data.legacy_faults import find_game_faults, find_user_faults
from tools.data.legacy_ids import ByteOrder, map_ids
from tools.data.server_databases import find_server_version, refuse_nul, refuse_server_in_use, run_on_server
from tools.data.shard_writer import (
    ShardContent,
    Split,
    build_shard,
    build_users,
    count_distinct_games,
    count_games,
    count_games_from,
    rank_users,
    read_players,
    read_users,
    split_games,
)
from tools.data.upgrades import refuse_earlier_versions
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Imports old databases: distributes the users and games of all sources over the shards. A user with an integer
user_id gets a random UUID; a UUID is kept. The import is atomic and idempotent: nothing changes if a row is invalid, if
the databases have other players already, or on a second run. Works on files and on PostgreSQL."""
SOURCE_HELP = """an old database, which is only read: a SQLite file, or the SQL text that sqlite3's .dump gives; it has
the tables or views users(user_id, username) and games(user_id, game_id, finished, guesses, won), or one of the two"""
BYTE_ORDER_HELP = """of UUIDs that are stored as 16 bytes: big as in RFC 9562 (Python's UUID.bytes), or mixed as in
Microsoft's GUIDs (UUID.bytes_le); needed only if the version and variant bits of the ids do not show it"""

BUG = "so nothing was changed: this is a bug of bin/shard, please report it"
IF_POPULATED = "an import needs empty databases, which bin/init --force makes, and loses all players and games"

SCRATCH = "bin-shard-scratch.db"
"""A temporary file in the databases' folder, which exists only as staged (`tools.data.atomic_files.staged`)."""


IMPORTS = "SELECT checksum, imported_at FROM imports"


def read_imports(data_paths: DataPaths) -> dict[str, str]:
    """The time of each earlier import, in UTC, by the checksum of its source."""
    if (url := data_paths.on_servers.get(data_paths.users)) is not None:
        return read_imports_on_server(url)
    if not data_paths.users.exists():
        return {}
    with closing(open_to_read(data_paths.users)) as database:
        return dict(database.execute(IMPORTS).fetchall())


def read_imports_on_server(url: str) -> dict[str, str]:
    if not find_server_version(url):
        return {}

    async def read(connection: Any) -> dict[str, str]:  # noqa: ANN401 - asyncpg's
        return {checksum: to_stored_time(moment) for checksum, moment in await connection.fetch(IMPORTS)}

    return run_on_server(url, read)


def refuse_services(data_paths: DataPaths) -> None:
    """Raises InUse if a service has a database of players open."""
    refuse_in_use([path for path in data_paths.players if path not in data_paths.on_servers])
    for path in data_paths.players:
        if path in data_paths.on_servers:
            refuse_server_in_use(data_paths.on_servers[path])


def split_sources(
    legacy: sqlite3.Connection, sources: Sequence[Path], *, byte_order: ByteOrder | None, shards: int, now: datetime
) -> Split:
    """Raises SystemExit with all faults if a row is invalid."""
    latest = to_stored_time(now + MAX_AHEAD)
    mapping = map_ids(legacy, byte_order)
    users = rank_users(legacy, mapping.ids, shards=shards)
    faults = find_user_faults(legacy, sources, mapping)
    split = (
        None
        if faults
        else split_games(legacy, read_players(legacy, users, integers=mapping.integers, shards=shards), latest=latest)
    )
    if split is None or split.games < count_games(legacy):
        faults += find_game_faults(legacy, sources, latest=latest)
        if split is None or faults:
            names = ", ".join(map(str, sources))
            raise SystemExit("\n  ".join([f"{names}: rows are invalid, so nothing was changed:", *faults]))
        check_duplicates(legacy, split)
    return split


def check_duplicates(legacy: sqlite3.Connection, split: Split) -> None:
    """Raises SystemExit if rows were left out that are not duplicates of a game with the same result.

    Duplicates are imported once: databases that a script has split often have rows in two files.
    """
    if (games := count_distinct_games(legacy)) != split.games:
        raise SystemExit(f"Only {split.games:,} of {games:,} games were imported, {BUG}.")


def check_users(path: Path, split: Split) -> None:
    """Raises SystemExit if the stored users are not those of the sources."""
    if read_users(path) != split.expected_users():
        raise SystemExit(f"The stored users differ from those of the sources, {BUG}.")


def build_all(
    split: Split, legacy: sqlite3.Connection, data_paths: DataPaths, *, checksum: str, now: datetime
) -> list[ShardContent]:
    """Builds the staged files of users and shards, and returns the contents read back from each shard.

    Raises SystemExit if they differ from the sources.
    """
    users = staged(data_paths.users)
    build_users(users, split, checksum=checksum, imported_at=to_stored_time(now))
    check_users(users, split)
    if data_paths.users in data_paths.on_servers:
        refuse_nul(users)
    contents = []
    for number, path in enumerate(tqdm(data_paths.shards, desc="shards", leave=False, disable=None)):
        content, expected = build_shard(staged(path), legacy, number), split.expected_shard(number)
        if content != expected:
            raise SystemExit(f"{name_shard(data_paths, path)} has {content} instead of {expected}, {BUG}.")
        contents.append(content)
    return contents


def import_sources(
    sources: Sequence[Path], data_paths: DataPaths, *, byte_order: ByteOrder | None = None
) -> tuple[str, list[str]]:
    """Returns a summary, and remarks for the operator.

    Raises SystemExit with a sentence, or InUse; then nothing has changed: the databases are staged, and replaced
    while no service has one open (`install`). The users, with the checksum of the import, come last: of servers, an
    import that is killed between two commits is not taken for a complete one.
    """
    now = datetime.now(UTC)
    names = ", ".join(map(str, sources))
    scratch = data_paths.folder / SCRATCH
    steps = tqdm(total=4, desc="bin/shard", unit="step", leave=False, disable=None)
    with staging_lock(data_paths.folder, (*data_paths.players, scratch)), steps:
        refuse_earlier_versions(data_paths)
        imports = read_imports(data_paths)
        if not imports:
            refuse_populated(data_paths, advice=IF_POPULATED)
        if not list_populated(data_paths):
            refuse_services(data_paths)
        with gather(sources, staged(scratch)) as legacy:
            steps.update()
            split = split_sources(legacy, sources, byte_order=byte_order, shards=len(data_paths.shards), now=now)
            steps.update()
            if (checksum := split.checksum_source()) in imports:
                return f"{names}: already imported on {imports[checksum]} UTC, so nothing was changed", []
            refuse_populated(data_paths, advice=IF_POPULATED)
            steps.update()
            contents = build_all(split, legacy, data_paths, checksum=checksum, now=now)
            steps.update()
            remarks = list_remarks(legacy, split, today=now.date())
        create_empty("plays.sql", staged(data_paths.plays))
        install(data_paths, [*data_paths.shards, data_paths.plays, data_paths.users], replace=True)
    return summarize(split, names, data_paths, contents), remarks


def list_remarks(legacy: sqlite3.Connection, split: Split, *, today: date) -> list[str]:
    """Sentences on rows that were imported in a way that the operator may not expect."""
    remarks = []
    if duplicates := count_games(legacy) - split.games:
        remarks.append(f"Duplicate rows of games with the same result, which were imported once: {duplicates:,}.")
    if future := count_games_from(legacy, game_id_of(today)):
        remarks.append(
            f"Games with today's number ({game_id_of(today):,}) or a later one: {future:,}. Their players cannot play"
            " these puzzles, since they already have a result."
        )
    return remarks


def name_shard(data_paths: DataPaths, path: Path) -> str:
    return data_paths.name(path) if path in data_paths.on_servers else path.name


def summarize(split: Split, names: str, data_paths: DataPaths, contents: Sequence[ShardContent]) -> str:
    shards = ", ".join(
        f"{name_shard(data_paths, path)} has {content.games:,} (checksum {content.checksum[:16]})"
        for path, content in zip(data_paths.shards, contents, strict=True)
    )
    return f"{count(len(split.players), 'user')} and {count(split.games, 'game')} of {names} were imported: {shards}"


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
