"""Which errors mean that a PostgreSQL database is unavailable, and in which words a client is told.

The words name no host, role or statement: they go to every client. The log has the error itself.
"""

import logging
import re

from asyncpg import InterfaceError, InternalClientError, PostgresError
from asyncpg.exceptions import (
    DeadlockDetectedError,
    InvalidCachedStatementError,
    SerializationError,
    TargetServerAttributeNotMatched,
    UndefinedTableError,
)

from servicekit.problems import DatabaseBusy, DatabaseUnavailable

logger = logging.getLogger("quintet")

AGAIN = "Try again later."
AWAY = "there is no connection to its server"
SLOW = "it takes too long"
READ_ONLY = "its server takes no writes now"
FULL = "its server is out of space or memory"
CROWDED = "its server has no free connection"
DENIED = "its server does not let this service in"
MISSING = "its server has no such database, or none of its tables: make them with bin/init"
DAMAGED = "its server reports damage"

REASONS = {
    "08": AWAY,  # connection exceptions
    "25006": READ_ONLY,  # a statement that writes, on a server that was fenced or became a replica
    "25P03": AWAY,  # ended while idle in a transaction
    "28": DENIED,  # a role or a password that is refused
    "3D": MISSING,  # no database of this name
    "42501": DENIED,  # privileges that the role lacks
    "53300": CROWDED,
    "53": FULL,
    "57014": SLOW,  # statement_timeout
    "57": AWAY,  # shutting down, starting up
    "58": DAMAGED,  # a system error such as a file that cannot be read
    "XX": DAMAGED,
}
"""By SQLSTATE, or by the class that its first two characters name."""
LOCK_NOT_AVAILABLE = "55P03"
CLOSED = re.compile("connection is closed|has been released|pool is closing")
"""In asyncpg's InterfaceError, whose other messages are about mistakes of the caller."""
RETRIED = (SerializationError, DeadlockDetectedError, InvalidCachedStatementError)
"""The transaction has been rolled back, and may succeed if it runs again."""


def find_reason(error: BaseException) -> str | None:
    """None for an error that is a bug, or the caller's to handle."""
    if isinstance(error, TargetServerAttributeNotMatched):
        return READ_ONLY
    if isinstance(error, UndefinedTableError):
        return MISSING
    if isinstance(error, PostgresError):
        state = str(error.sqlstate or "")
        return REASONS.get(state, REASONS.get(state[:2]))
    if isinstance(error, TimeoutError):
        return SLOW
    if isinstance(error, InterfaceError):
        return AWAY if CLOSED.search(str(error)) else None
    return AWAY if isinstance(error, OSError | InternalClientError) else None


def unavailable(name: str, reason: str, error: BaseException | None) -> DatabaseUnavailable:
    """The problem of a database that is called `name`, whose cause is the error."""
    problem = DatabaseUnavailable(f"The database {name} does not answer ({reason}). {AGAIN}")
    problem.__cause__ = error
    return problem


def translate(name: str, error: Exception) -> Exception:
    """DatabaseBusy for a lock that was not free in time or a conflict with another transaction, DatabaseUnavailable for
    what is about the server, and any other error as it is."""
    if isinstance(error, RETRIED) or getattr(error, "sqlstate", None) == LOCK_NOT_AVAILABLE:
        busy = DatabaseBusy(f"The database {name} does not answer (another transaction holds the lock). {AGAIN}")
        busy.__cause__ = error
        return busy
    reason = find_reason(error)
    if reason is None:
        return error
    logger.warning("The database %s does not answer: %s: %s", name, type(error).__name__, error)
    return unavailable(name, reason, error)
