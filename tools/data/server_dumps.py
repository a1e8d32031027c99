"""Dumps of databases on PostgreSQL servers, made and read by PostgreSQL's own programs.

A dump is restored on the connection of a transaction, in which it can be upgraded and checked before it is committed.
pg_restore itself can only commit. So it writes the dump as SQL text, and that is run here.
"""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

from tools.data.server_connections import ServerConnection

FOLDER_VARIABLE = "PG_BIN"
COPY = re.compile(rb"COPY public\.(\w+) \((.*)\) FROM stdin;\n")
END_OF_COPY = b"\\.\n"
LEFT_OUT = (b"\n", b"--", b"SET ", b"SELECT pg_catalog.set_config('search_path'", b"\\restrict ", b"\\unrestrict ")
"""The beginnings of comments, and of lines for a session of psql. Older servers do not know some of its settings."""
CHUNK_BYTES = 65_536
TO_THE_LEADER = {"PGTARGETSESSIONATTRS": "read-write", "PGCONNECT_TIMEOUT": "5"}
"""Of several hosts the one that `ServerConnection` leads to; seconds before the next one is tried."""


def find_major_version(program: Path) -> int:
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", version)
    if found is None:
        raise SystemExit(f"{program} is not PostgreSQL's: it calls itself {version.strip()!r}.")
    return int(found[1])


def find_program(name: str, servers: Collection[ServerConnection]) -> Path:
    """Raises SystemExit with a sentence if there is no such program, or if it is older than a server."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if (found := shutil.which(name, path=folder)) is None:
        where = f"in {folder}, the folder that {FOLDER_VARIABLE} names" if folder else "on the path"
        raise SystemExit(f"There is no {name} {where}: install PostgreSQL's client programs, or set {FOLDER_VARIABLE}.")
    version = find_major_version(Path(found))
    for server in servers:
        if version < server.major_version:
            raise SystemExit(
                f"{found} is of PostgreSQL {version}, and the server of {server.name} of {server.major_version}:"
                f" name the folder of newer programs in {FOLDER_VARIABLE}."
            )
    return Path(found)


def split_password(url: str) -> tuple[str, str]:
    """The URL without its password, and the password: the arguments of a process can be read by all users."""
    authority = urlsplit(url).netloc
    account, at, hosts = authority.rpartition("@")
    user, _, password = account.partition(":")
    return url.replace(authority, f"{user}{at}{hosts}", 1), unquote(password)


def dump(program: Path, server: ServerConnection, path: Path) -> None:
    """Writes what the server's transaction sees into an existing file. Raises CalledProcessError."""
    ((snapshot,),) = server.fetch("SELECT pg_export_snapshot()")
    url, password = split_password(server.url)
    options = ("--format=custom", "--schema=public", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
    environment = {**os.environ, **TO_THE_LEADER}
    if password:
        environment["PGPASSWORD"] = password
    subprocess.run(
        [program, *options, f"--file={path}", f"--dbname={url}"],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )


def load(program: Path, path: Path, server: ServerConnection) -> None:
    """Makes the tables of a dump, with their rows, in the open transaction.

    Raises CalledProcessError for a dump that pg_restore cannot read.
    """
    command: list[str | Path] = [program, "--schema=public", "--no-owner", "--no-privileges", "--file=-", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines = iter(cast(IO[bytes], process.stdout))
        server.run(lambda connection: run_lines(connection, lines))
        errors = cast(IO[bytes], process.stderr).read().decode(errors="replace")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=errors)


async def run_lines(connection: Any, lines: Iterator[bytes]) -> None:  # noqa: ANN401 - asyncpg's
    """SQL text in which the rows of a table follow its COPY, up to a line with a backslash and a point."""
    statements: list[bytes] = []
    for line in lines:
        if (copy := COPY.fullmatch(line)) is not None:
            await execute(connection, statements)
            statements.clear()
            columns = [column.strip('" ') for column in copy[2].decode().split(",")]
            await connection.copy_to_table(
                copy[1].decode(), schema_name="public", columns=columns, source=read_rows(lines), format="text"
            )
        elif not line.startswith(LEFT_OUT):
            statements.append(line)
    await execute(connection, statements)


async def execute(connection: Any, lines: Sequence[bytes]) -> None:  # noqa: ANN401 - asyncpg's
    if lines:  # asyncpg fails at a text without a statement
        await connection.execute(b"".join(lines).decode())


async def read_rows(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    chunk = bytearray()
    for line in lines:
        if line == END_OF_COPY:
            break
        chunk += line
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)
