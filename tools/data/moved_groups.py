"""The steps of bin/reshard for a kind of databases: staging, verifying, installing and comparing."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TypeAlias

import servicekit.db.column_types  # noqa: F401 - registers how UUIDs and times are stored
from servicekit.db.sharding import Shards
from tools.config.paths import SHARE, DataPaths
from tools.data.atomic_files import new_database, replace_databases, staged, sync
from tools.data.existing_data import describe
from tools.data.locked_databases import LockedDatabase, Rows, lock_database
from tools.data.rebuild_standings import fill_counts
from tools.data.server_databases import (
    FILE_TABLES,
    create_on_server,
    find_server_version,
    has_server_tables,
    refuse_nul,
    set_server_version,
)
from tools.data.upgrades import find_version
from tools.data.verify import Findings, verify
from tools.wording import count

RECOUNTED = {"score_counts", "game_counts"}
"""Tables of a shard that sum up its players, so that other shards have other rows."""


@dataclass(frozen=True, slots=True)
class Group:
    """The databases of one schema: the shards, or one."""

    schema: str
    old: tuple[Path, ...]
    new: tuple[Path, ...]
    moves: bool


@dataclass(slots=True)
class Content:
    """The number of rows, and a checksum of them in any order; those of two databases can be added."""

    rows: int = 0
    checksum: int = 0

    def add(self, rows: Rows) -> None:
        self.rows += len(rows)
        for row in rows:
            self.checksum += int.from_bytes(blake2b(repr(row).encode(), digest_size=16).digest(), "big")


Contents: TypeAlias = dict[str, Content]
"""By table."""


def list_groups(source: DataPaths, target: DataPaths) -> list[Group]:
    pairs = {
        "users.sql": ((source.users,), (target.users,)),
        "plays.sql": ((source.plays,), (target.plays,)),
        "words.sql": ((source.words,), (target.words,)),
        "answers.sql": ((source.answers,), (target.answers,)),
        "games.sql": (source.shards, target.shards),
    }
    return [
        Group(schema, old, new, moves=identify(source, old) != identify(target, new))
        for schema, (old, new) in pairs.items()
    ]


def identify(data_paths: DataPaths, paths: Sequence[Path]) -> list[str]:
    return [data_paths.on_servers.get(path, str(path.resolve())) for path in paths]


def find_version_there(target: DataPaths, path: Path) -> int | None:
    """None where there is no database yet. 0 for one with tables of another program."""
    url = target.on_servers.get(path)
    if url is None:
        return find_version(path) if path.exists() else None
    return find_server_version(url) if has_server_tables(url) else None


def list_columns(database: sqlite3.Connection) -> dict[str, list[str]]:
    """By table, in the order in which foreign keys can be filled."""
    tables = [table for (table,) in database.execute(FILE_TABLES)]
    return {table: [column[1] for column in database.execute(f"PRAGMA table_info({table})")] for table in tables}


def stage(group: Group, locked: Mapping[Path, LockedDatabase]) -> Contents:
    """Makes a complete SQLite file beside each new database, and returns what all of them contain together."""
    with ExitStack() as stack:
        files = [stack.enter_context(new_database(staged(path), SHARE / group.schema)) for path in group.new]
        columns = list_columns(files[0])
        contents = {table: Content() for table in columns}
        for table in columns:
            if table in RECOUNTED:
                continue
            places = ", ".join("?" * len(columns[table]))
            insert = f"INSERT INTO {table} ({', '.join(columns[table])}) VALUES ({places})"  # noqa: S608 - names of ours
            for path in group.old:
                for rows in locked[path].read(table, columns[table]):
                    contents[table].add(rows)
                    for file, part in zip(files, distribute(rows, len(files)), strict=True):
                        file.executemany(insert, part)
        if group.schema == "games.sql":
            for file in files:
                fill_counts(file)
    for path in group.new:
        add_counts(staged(path), contents)
    return contents


def add_counts(path: Path, contents: Contents) -> None:
    """Adds the tables that were not read."""
    with closing(sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)) as database:
        for table in contents.keys() & RECOUNTED:
            contents[table].add(database.execute(f"SELECT * FROM {table}").fetchall())  # noqa: S608 - a name of ours


def distribute(rows: Rows, shards: int) -> Iterator[Rows]:
    """Those of each shard, by the id in the first column."""
    if shards == 1:
        return iter([rows])
    parts: Shards[list[tuple[object, ...]]] = Shards([[] for _ in range(shards)])
    for row in rows:
        parts.of(row[0]).append(row)
    return iter(parts)


def verify_staged(target: DataPaths) -> Findings:
    """Raises SystemExit if the staged files contradict each other, or have what their server cannot store."""
    findings = verify(replace(target.relocate(staged), on_servers={}))  # all are staged as files
    if findings.damage:
        raise SystemExit(
            f"The databases have {count(findings.damage, 'difference')}, so nothing was moved: bin/verify lists them."
        )
    if target.users in target.on_servers:
        refuse_nul(staged(target.users))
    return findings


def install(target: DataPaths, moving: Sequence[Group], mark: int) -> None:
    """Puts the staged files into place, with the mark: on servers each in a transaction, then all files at once."""
    for group in moving:
        for path in group.new:
            if path in target.on_servers:
                create_on_server(target.on_servers[path], group.schema, staged(path), replace=True, version=mark)
            else:
                set_file_version(staged(path), mark)
    if files := [path for group in moving for path in group.new if path not in target.on_servers]:
        replace_databases(files, target.folder)


def set_version(target: DataPaths, path: Path, version: int) -> None:
    """Durably. A service that is starting may be looking at the version."""
    if path in target.on_servers:
        set_server_version(target.on_servers[path], version)
    else:
        set_file_version(path, version)


def set_file_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {version}")
    sync(path)


def compare(target: DataPaths, group: Group, expected: Contents) -> None:
    """Raises SystemExit if the new databases of a group differ from what was read of the old ones."""
    with closing(sqlite3.connect(":memory:")) as schema:
        schema.executescript((SHARE / group.schema).read_text(encoding="utf-8"))
        columns = list_columns(schema)
    contents = {table: Content() for table in columns}
    for path in group.new:
        with lock_database(target, path) as database:
            for table in columns:
                for rows in database.read(table, columns[table]):
                    contents[table].add(rows)
    if different := [table for table in columns if contents[table] != expected[table]]:
        raise SystemExit(
            f"{', '.join(different)} in {describe(target, group.new)} differs from what was read, so nothing was moved:"
            " this is a bug of bin/reshard, please report it."
        )
