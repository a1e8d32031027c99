"""Databases on PostgreSQL servers: which tables they have, making them, filling them and upgrading them.

A database itself is made by the operator (docs/operating.md, PostgreSQL). Its tables are made in one transaction with
their contents, under an advisory lock, so that of two machines that start at the same time the second finds them.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from servicekit.db.engine import BACKUP_LOCK
from servicekit.db.moves import explain_mark
from servicekit.settings import hide_password
from tools.config.paths import SHARE
from tools.data.atomic_files import InUse
from tools.data.server_connections import ServerConnection, connected
from tools.data.upgrade_steps import SERVER_STEPS
from tools.wording import count

T = TypeVar("T")

SERVER_SCHEMAS = SHARE / "postgresql"
LOCK = f"""
SELECT pg_advisory_xact_lock_shared({BACKUP_LOCK}), pg_advisory_xact_lock(hashtextextended('quintet schema', 0))
"""
HAS_TABLES = "SELECT to_regclass('public.schema_version') IS NOT NULL"
OTHER_SESSIONS = """
SELECT COUNT(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'quintet' AND pid <> pg_backend_pid()
"""
VIEWS = "SELECT viewname FROM pg_views WHERE schemaname = 'public'"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
IDENTITIES = """
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES'
"""
FILE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
BATCH = 10_000


def run_on_server(url: str, use: Callable[[Any], Awaitable[T]]) -> T:
    """What `use` returns of a connection, in one transaction. Raises SystemExit with a sentence if it fails."""

    async def run(connection: Any) -> T:  # noqa: ANN401 - asyncpg's
        async with connection.transaction():
            return await use(connection)

    with connected(url) as connection:
        return connection.run(run)


def find_server_version(url: str) -> int:
    """Of the schema; 0 for a database without tables."""

    async def find(connection: Any) -> int:  # noqa: ANN401 - asyncpg's
        if not await connection.fetchval(HAS_TABLES):
            return 0
        return int(await connection.fetchval("SELECT version FROM schema_version"))

    return run_on_server(url, find)


def set_server_version(url: str, version: int) -> None:
    async def update(connection: Any) -> None:  # noqa: ANN401 - asyncpg's
        await connection.execute("UPDATE schema_version SET version = $1", version)

    run_on_server(url, update)


def has_server_tables(url: str) -> bool:
    """Whether a database has any table, also one that is not ours."""

    async def find(connection: Any) -> bool:  # noqa: ANN401 - asyncpg's
        return bool(await connection.fetch(TABLES))

    return run_on_server(url, find)


def has_server_row(url: str, table: str) -> bool:
    """Whether a database has a row; False without tables."""

    async def find(connection: Any) -> bool:  # noqa: ANN401 - asyncpg's
        if not await connection.fetchval(HAS_TABLES):
            return False
        return await connection.fetchval(f"SELECT 1 FROM {table} LIMIT 1") is not None  # noqa: S608 - names of ours

    return run_on_server(url, find)


def refuse_server_in_use(url: str) -> None:
    """Raises InUse if a service has a connection."""
    with connected(url) as connection:
        refuse_other_sessions(connection)


def refuse_other_sessions(connection: ServerConnection) -> None:
    """Raises InUse if a service has a connection. In a transaction the answer stays what it was first."""
    if connection.fetch(OTHER_SESSIONS)[0][0]:
        raise InUse(f"{connection.name} is in use: stop the services first.")


def create_on_server(url: str, schema: str, source: Path, *, replace: bool, version: int | None = None) -> None:
    """As `create_tables`, in a transaction of its own. With `replace` raises InUse if a service has a connection."""
    if replace:
        refuse_server_in_use(url)
    run_on_server(url, partial(create_tables, schema=schema, source=source, replace=replace, version=version))


async def create_tables(
    connection: Any,  # noqa: ANN401 - asyncpg's
    *,
    schema: str,
    source: Path,
    replace: bool,
    version: int | None = None,
) -> None:
    """Makes the tables in the open transaction, with the rows of a SQLite database of the same schema. With `replace`
    drops what is there; else does nothing if another machine has made them in the meantime. `version` is stored in
    place of the schema's."""
    await connection.execute(LOCK)
    if replace:
        await drop_tables(connection)
    elif await connection.fetchval(HAS_TABLES):
        return
    await connection.execute((SERVER_SCHEMAS / schema).read_text(encoding="utf-8"))
    await copy_rows(source, connection)
    await connection.execute("ANALYZE")
    if version is not None:
        await connection.execute("UPDATE schema_version SET version = $1", version)


def refuse_nul(users: Path) -> None:
    """Raises SystemExit if a name in a SQLite file has the character NUL, which PostgreSQL cannot store."""
    with closing(sqlite3.connect(users)) as database:
        names = "SELECT username FROM users UNION ALL SELECT username FROM retired_names"
        found = sum("\0" in name for (name,) in database.execute(names))
    if found:
        raise SystemExit(
            f"PostgreSQL cannot store the character NUL, which is in {count(found, 'name')}, so nothing was changed:"
            " leave the users database on SQLite."
        )


async def drop_tables(connection: Any) -> None:  # noqa: ANN401 - asyncpg's
    """With the views. From then on nothing else can read or write them."""
    for kind, query in (("VIEW", VIEWS), ("TABLE", TABLES)):
        for row in await connection.fetch(query):
            await connection.execute(f"DROP {kind} {row[0]} CASCADE")


async def copy_rows(source: Path, connection: Any) -> None:  # noqa: ANN401 - asyncpg's
    """From all tables of a SQLite file into those of the same names, by COPY."""
    with closing(sqlite3.connect(source, detect_types=sqlite3.PARSE_DECLTYPES)) as database:
        for (table,) in database.execute(FILE_TABLES).fetchall():
            rows = database.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of the schema
            columns = [column[0] for column in rows.description]
            for batch in iterate_batches(rows):
                await connection.copy_records_to_table(table, columns=columns, records=batch)
    await continue_identities(connection)


async def continue_identities(connection: Any) -> None:  # noqa: ANN401 - asyncpg's
    """New identities follow those of the rows that were copied."""
    for table, column in await connection.fetch(IDENTITIES):
        await connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), MAX({column})) FROM {table}"  # noqa: S608 - names of ours
        )


def iterate_batches(rows: sqlite3.Cursor) -> Iterator[list[Any]]:
    while batch := rows.fetchmany(BATCH):
        yield batch


def upgrade_on_server(url: str, schema: str) -> int | None:
    """Runs the missing steps in one transaction, also while services run: each step lets the version before go on.

    Returns the new version, or None if it was the current one. Raises SystemExit for a later version.
    """
    return run_on_server(url, partial(upgrade_tables, name=hide_password(url), schema=schema))


async def upgrade_tables(connection: Any, *, name: str, schema: str) -> int | None:  # noqa: ANN401 - asyncpg's
    """As `upgrade_on_server`, in the open transaction."""
    first, steps = SERVER_STEPS[schema]
    current = first + len(steps)
    await connection.execute(LOCK)
    version = int(await connection.fetchval("SELECT version FROM schema_version"))
    if mark := explain_mark(version):
        raise SystemExit(f"{name} {mark}.")
    if version > current:
        raise SystemExit(
            f"{name} is of a later version of Quintet (schema {version}, this one knows {current}):"
            " run the version that made it."
        )
    if version == current:
        return None
    for step in steps[version - first :]:
        await connection.execute(step)
    await connection.execute(f"UPDATE schema_version SET version = {current}")  # noqa: S608 - a number
    return current
