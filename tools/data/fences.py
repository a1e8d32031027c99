"""Fences: a database on a PostgreSQL server in which the role of the services can only read.

A fence is a setting of the role in this database, which each session reads as it begins. Services and scripts ask for
a session that may write, and otherwise try the next host of their URL; so of a database that is on two servers they use
the one without a fence.
"""

import time
from urllib.parse import urlsplit

from tools.data.server_connections import ServerConnection

POLL_S = 0.02
END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = $1 AND datname = current_database() AND backend_start <= $2::text::timestamptz
"""


def quote(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def alter_role(url: str, role: str) -> str:
    """The beginning of a statement about the role in the database of the URL."""
    return f"ALTER ROLE {quote(role)} IN DATABASE {quote(urlsplit(url).path.removeprefix('/'))}"


def fence_statement(url: str, role: str) -> str:
    return f"{alter_role(url, role)} SET default_transaction_read_only = on"


def unfence_statement(url: str, role: str) -> str:
    return f"{alter_role(url, role)} RESET default_transaction_read_only"


def fence(server: ServerConnection, role: str) -> str:
    """Returns the time as text. Sessions that began before it can still write, and so can one that is being opened and
    has read its settings already."""
    server.execute(fence_statement(server.url, role))
    return str(server.fetch("SELECT clock_timestamp()::text")[0][0])


def end_sessions(server: ServerConnection, role: str, fenced_at: str) -> None:
    """Ends those that began before the fence, and returns when there are none. What they have committed stays."""
    while server.fetch(END_SESSIONS, role, fenced_at):
        time.sleep(POLL_S)
