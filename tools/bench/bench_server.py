"""The PostgreSQL server of bin/bench --postgres: databases of its own, which are dropped at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from databases import DatabaseURL

from servicekit.settings import hide_password
from tools.data.server_connections import connected

PREFIX = "quintet_bench_"


@contextmanager
def new_database(server: str, name: str) -> Iterator[str]:
    """The URL of an empty database, which is dropped at the end of the block. It replaces what a killed run has left.

    `server` is the URL of any database there, whose role may create others.
    """
    full_name = f"{PREFIX}{name}"
    drop = f"DROP DATABASE IF EXISTS {full_name} WITH (FORCE)"
    with connected(server) as connection:
        connection.execute(drop)
        connection.execute(f"CREATE DATABASE {full_name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield str(DatabaseURL(server).replace(database=full_name))
    finally:
        with connected(server) as connection:
            connection.execute(drop)


def settle(url: str) -> None:
    """Leaves nothing to do for later that a server does once after much was stored, and that would disturb a run."""
    with connected(url) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE)")
        connection.execute("CHECKPOINT")


def find_server_process(server: str) -> psutil.Process:
    """The parent of all processes of the server. Raises SystemExit if it is not on this machine."""
    with connected(server) as connection:
        parent = find_parent_server(connection.fetch("SELECT pg_backend_pid()")[0][0])
    if parent is None:
        raise SystemExit(
            f"{hide_password(server)} is not on this machine, where its CPU time is measured: start a server here, as"
            " CONTRIBUTING.md says."
        )
    return parent


def find_parent_server(backend: int) -> psutil.Process | None:
    """None if no process of PostgreSQL has this number here."""
    try:
        process = psutil.Process(backend)
        return process.parent() if "postgres" in process.name() else None
    except psutil.NoSuchProcess:
        return None


def describe_server(server: str) -> str:
    """Its version, and the settings that decide how fast it is."""
    settings = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_connections")
    query = "SELECT " + ", ".join(f"current_setting('{name}')" for name in settings)
    with connected(server) as connection:
        (values,) = connection.fetch(query)
    version, *others = map(str, values)
    shown = ", ".join(f"{name}={value}" for name, value in zip(settings[1:], others, strict=True))
    return f"PostgreSQL {version.split()[0]} ({shown})"
