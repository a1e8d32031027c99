"""All SQL of users."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from databases import Database

from servicekit.databases import Readable
from servicekit.sessions import Session
from servicekit.statements import Statement

SCHEMA_VERSION = 1
"""`PRAGMA user_version` of share/users.sql, whose tables these statements expect."""


@dataclass(frozen=True, slots=True)
class UserRow:
    user_id: UUID
    username: str


@dataclass(frozen=True, slots=True)
class LoginRow:
    user_id: UUID
    password_hash: str | None
    """None for a player who came from an old database and was given no password yet."""


INSERT_USER = Statement(
    "INSERT INTO users (user_id, username) VALUES (:user_id, :username)"
    " ON CONFLICT (username) DO NOTHING RETURNING user_id"
)


async def insert_user(users: Session, *, user_id: UUID, username: str) -> bool:
    """False, and nothing is stored, if the name is taken."""
    return await users.fetch_one(INSERT_USER, {"user_id": user_id, "username": username}) is not None


SELECT_USER = Statement("SELECT user_id, username FROM users WHERE user_id = :user_id")


async def find_user(users: Readable, *, user_id: UUID) -> UserRow | None:
    row = await users.fetch_one(SELECT_USER, {"user_id": user_id})
    return None if row is None else UserRow(row["user_id"], row["username"])


SELECT_USER_BY_NAME = Statement("SELECT user_id, username FROM users WHERE username = :username")


async def find_user_by_name(users: Readable, *, username: str) -> UserRow | None:
    row = await users.fetch_one(SELECT_USER_BY_NAME, {"username": username})
    return None if row is None else UserRow(row["user_id"], row["username"])


SELECT_USERS = Statement("SELECT user_id, username FROM users ORDER BY user_id LIMIT :limit")
SELECT_USERS_AFTER = Statement(
    "SELECT user_id, username FROM users WHERE user_id > :after ORDER BY user_id LIMIT :limit"
)


async def list_users(users: Readable, *, after: UUID | None, limit: int) -> list[UserRow]:
    """In the order of the ids, from the one that follows `after`."""
    if after is None:
        rows = await users.fetch_all(SELECT_USERS, {"limit": limit})
    else:
        rows = await users.fetch_all(SELECT_USERS_AFTER, {"after": after, "limit": limit})
    return [UserRow(row["user_id"], row["username"]) for row in rows]


UPSERT_PASSWORD = Statement(
    "INSERT INTO passwords (user_id, hash) VALUES (:user_id, :hash)"
    " ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash"
)


async def upsert_password(users: Session, *, user_id: UUID, password_hash: str) -> None:
    """Raises sqlite3.IntegrityError if there is no such user."""
    await users.execute(UPSERT_PASSWORD, {"user_id": user_id, "hash": password_hash})


SELECT_LOGIN = Statement(
    "SELECT users.user_id, passwords.hash FROM users LEFT JOIN passwords USING (user_id)"
    " WHERE users.username = :username"
)


async def find_login(users: Readable, *, username: str) -> LoginRow | None:
    row = await users.fetch_one(SELECT_LOGIN, {"username": username})
    return None if row is None else LoginRow(row["user_id"], row["hash"])


# TIMESTAMP would keep whole seconds, and count attempts of 59 seconds as a minute's.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

INSERT_ATTEMPT = Statement(
    "INSERT INTO login_attempts (username, attempted_at) VALUES (:username, :attempted_at) RETURNING attempt"
)


async def insert_attempt(users: Session, *, username: str, moment: datetime) -> int:
    """The attempt's number."""
    values = {"username": username, "attempted_at": (moment - EPOCH) // MILLISECOND}
    row = await users.fetch_one(INSERT_ATTEMPT, values)
    assert row is not None  # noqa: S101 - INSERT ... RETURNING gives its row; for the types
    return int(row["attempt"])


SELECT_ATTEMPTS = Statement("SELECT attempted_at FROM login_attempts WHERE username = :username ORDER BY attempted_at")


async def list_attempts(users: Readable, *, username: str) -> list[datetime]:
    """When they were, the oldest first."""
    rows = await users.fetch_all(SELECT_ATTEMPTS, {"username": username})
    return [EPOCH + row["attempted_at"] * MILLISECOND for row in rows]


DELETE_ATTEMPT = Statement("DELETE FROM login_attempts WHERE attempt = :attempt")


async def delete_attempt(users: Session, *, attempt: int) -> None:
    await users.execute(DELETE_ATTEMPT, {"attempt": attempt})


DELETE_ATTEMPTS_OUTSIDE = Statement("DELETE FROM login_attempts WHERE attempted_at <= :first OR attempted_at >= :last")


async def delete_attempts_outside(users: Session, *, first: datetime, last: datetime) -> None:
    """Of all names, those that are not between two moments."""
    values = {"first": (first - EPOCH) // MILLISECOND, "last": (last - EPOCH) // MILLISECOND}
    await users.execute(DELETE_ATTEMPTS_OUTSIDE, values)


ANY_USER = Statement("SELECT user_id FROM users LIMIT 1")


async def check_users(users: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await users.fetch_one(ANY_USER)
