"""All SQL of users."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from databases.interfaces import Record

from servicekit.db.database import Database, Readable
from servicekit.db.engine import Engine
from servicekit.db.transaction import Transaction

SCHEMA_VERSION = 4
"""Of share/users.sql and share/postgresql/users.sql, whose tables these statements expect."""


@dataclass(frozen=True, slots=True)
class UserRow:
    user_id: UUID
    username: str


@dataclass(frozen=True, slots=True)
class LoginRow:
    user_id: UUID
    username: str
    password_hash: str | None
    """None for a player who came from an old database and was given no password yet."""


INSERT_USER = (
    "INSERT INTO users (user_id, username) VALUES (:user_id, :username)"
    " ON CONFLICT (username) DO NOTHING RETURNING user_id"
)


async def insert_user(users: Transaction, *, user_id: UUID, username: str) -> bool:
    """False, and nothing is stored, if the name is taken."""
    return await users.fetch_one(INSERT_USER, {"user_id": user_id, "username": username}) is not None


SELECT_USER = "SELECT user_id, username FROM users WHERE user_id = :user_id"


async def find_user(users: Readable, *, user_id: UUID) -> UserRow | None:
    row = await users.fetch_one(SELECT_USER, {"user_id": user_id})
    return None if row is None else UserRow(row["user_id"], row["username"])


UPDATE_USERNAME = "UPDATE users SET username = :username WHERE user_id = :user_id"


async def rename_user(users: Transaction, *, user_id: UUID, username: str) -> None:
    await users.execute(UPDATE_USERNAME, {"user_id": user_id, "username": username})


UPSERT_RETIRED_NAME = (
    "INSERT INTO retired_names (username, retired_at) VALUES (:username, :now)"
    " ON CONFLICT (username) DO UPDATE SET retired_at = excluded.retired_at"
)


async def upsert_retired_name(users: Transaction, *, username: str, now: datetime) -> None:
    await users.execute(UPSERT_RETIRED_NAME, {"username": username, "now": now})


SELECT_RETIRED_NAME = "SELECT 1 FROM retired_names WHERE username = :username AND retired_at > :since"


async def is_retired_name(users: Readable, *, username: str, since: datetime) -> bool:
    """Whether an account with this name has ended since then."""
    return await users.fetch_one(SELECT_RETIRED_NAME, {"username": username, "since": since}) is not None


DELETE_RETIRED_NAMES = "DELETE FROM retired_names WHERE retired_at <= :until"


async def delete_retired_names(users: Transaction, *, until: datetime) -> None:
    await users.execute(DELETE_RETIRED_NAMES, {"until": until})


SELECT_USERS = "SELECT user_id, username FROM users ORDER BY user_id LIMIT :limit"
SELECT_USERS_AFTER = "SELECT user_id, username FROM users WHERE user_id > :after ORDER BY user_id LIMIT :limit"


async def list_users(users: Readable, *, after: UUID | None, limit: int) -> list[UserRow]:
    """In the order of the ids, from the one that follows `after`."""
    if after is None:
        rows = await users.fetch_all(SELECT_USERS, {"limit": limit})
    else:
        rows = await users.fetch_all(SELECT_USERS_AFTER, {"after": after, "limit": limit})
    return [UserRow(row["user_id"], row["username"]) for row in rows]


UPSERT_HASH = (
    "INSERT INTO passwords (user_id, hash) VALUES (:user_id, :hash)"
    " ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash"
)


async def upsert_password(users: Transaction, *, user_id: UUID, password_hash: str) -> None:
    """Fails if there is no such user, by a foreign key."""
    await users.execute(UPSERT_HASH, {"user_id": user_id, "hash": password_hash})


DELETE_HASH = "DELETE FROM passwords WHERE user_id = :user_id"


async def delete_password(users: Transaction, *, user_id: UUID) -> None:
    await users.execute(DELETE_HASH, {"user_id": user_id})


SELECT_LOGIN = (
    "SELECT users.user_id, users.username, passwords.hash FROM users LEFT JOIN passwords USING (user_id)"
    " WHERE users.username = :username"
)


async def find_login(users: Readable, *, username: str) -> LoginRow | None:
    if "\0" in username and users.engine is Engine.POSTGRESQL:
        return None  # its text cannot have a NUL, so no name there has one
    row = await users.fetch_one(SELECT_LOGIN, {"username": username})
    return None if row is None else LoginRow(row["user_id"], row["username"], row["hash"])


SELECT_LOGIN_BY_ID = (
    "SELECT users.user_id, users.username, passwords.hash FROM users LEFT JOIN passwords USING (user_id)"
    " WHERE users.user_id = :user_id"
)


async def find_login_by_id(users: Readable, *, user_id: UUID) -> LoginRow | None:
    row = await users.fetch_one(SELECT_LOGIN_BY_ID, {"user_id": user_id})
    return None if row is None else LoginRow(row["user_id"], row["username"], row["hash"])


# TIMESTAMP would keep whole seconds, and count attempts of 59 seconds as a minute's.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def time_to_ms(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def rows_to_times(rows: Sequence[Record]) -> list[datetime]:
    return [EPOCH + row["attempted_at"] * MILLISECOND for row in rows]


def digest_name(username: str) -> bytes:
    """The key under which failed log-ins are stored: what was typed, perhaps a password, becomes one length and
    cannot be read."""
    return hashlib.sha256(username.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Attempt:
    """To log in; one that did not succeed, or whose password is being checked."""

    username: str
    address: str
    is_known: bool
    """Whether the name had logged in from the address."""
    attempted_at: datetime


INSERT_ATTEMPT = (
    "INSERT INTO login_attempts (name_digest, address, is_known, attempted_at)"
    " VALUES (:name_digest, :address, :is_known, :attempted_at) RETURNING attempt"
)


async def insert_attempt(users: Transaction, *, attempt: Attempt) -> int:
    """The attempt's number."""
    values = {
        "name_digest": digest_name(attempt.username),
        "address": attempt.address,
        "is_known": attempt.is_known,
        "attempted_at": time_to_ms(attempt.attempted_at),
    }
    row = await users.fetch_one(INSERT_ATTEMPT, values)
    assert row is not None  # noqa: S101 - INSERT ... RETURNING gives its row; for the types
    return int(row["attempt"])


SELECT_ATTEMPTS_BY_NAME_AND_ADDRESS = (
    "SELECT attempted_at FROM login_attempts"
    " WHERE name_digest = :name_digest AND address = :address AND attempted_at <= :until"
    " ORDER BY attempted_at DESC LIMIT :limit"
)


async def list_attempts_by_name_and_address(
    users: Readable, *, username: str, address: str, until: datetime, limit: int
) -> list[datetime]:
    """When they were, the latest first."""
    name = digest_name(username)
    values = {"name_digest": name, "address": address, "until": time_to_ms(until), "limit": limit}
    return rows_to_times(await users.fetch_all(SELECT_ATTEMPTS_BY_NAME_AND_ADDRESS, values))


SELECT_ATTEMPTS_BY_ADDRESS = (
    "SELECT attempted_at FROM login_attempts WHERE address = :address AND attempted_at <= :until"
    " ORDER BY attempted_at DESC LIMIT :limit"
)


async def list_attempts_by_address(users: Readable, *, address: str, until: datetime, limit: int) -> list[datetime]:
    """Of all names, the latest first."""
    values = {"address": address, "until": time_to_ms(until), "limit": limit}
    return rows_to_times(await users.fetch_all(SELECT_ATTEMPTS_BY_ADDRESS, values))


SELECT_ATTEMPTS_BY_NAME = (
    "SELECT attempted_at FROM login_attempts"
    " WHERE name_digest = :name_digest AND NOT is_known AND attempted_at <= :until"
    " ORDER BY attempted_at DESC LIMIT :limit"
)


async def list_attempts_by_name(users: Readable, *, username: str, until: datetime, limit: int) -> list[datetime]:
    """From all addresses that were not known for the name, the latest first."""
    values = {"name_digest": digest_name(username), "until": time_to_ms(until), "limit": limit}
    return rows_to_times(await users.fetch_all(SELECT_ATTEMPTS_BY_NAME, values))


DELETE_ATTEMPT = "DELETE FROM login_attempts WHERE attempt = :attempt"


async def delete_attempt(users: Transaction, *, attempt: int) -> None:
    await users.execute(DELETE_ATTEMPT, {"attempt": attempt})


DELETE_ATTEMPTS_OUTSIDE = "DELETE FROM login_attempts WHERE attempted_at <= :first OR attempted_at >= :last"


async def delete_attempts_outside(users: Transaction, *, first: datetime, last: datetime) -> None:
    """Of all names, those that are not between two moments."""
    await users.execute(DELETE_ATTEMPTS_OUTSIDE, {"first": time_to_ms(first), "last": time_to_ms(last)})


DELETE_ATTEMPTS_OF_NAME = "DELETE FROM login_attempts WHERE name_digest = :name_digest"


async def delete_attempts_of_name(users: Transaction, *, username: str) -> None:
    await users.execute(DELETE_ATTEMPTS_OF_NAME, {"name_digest": digest_name(username)})


SELECT_KNOWN_ADDRESS = (
    "SELECT 1 FROM known_addresses WHERE user_id = :user_id AND address = :address AND logged_in_at > :since"
)


async def is_known_address(users: Readable, *, user_id: UUID, address: str, since: datetime) -> bool:
    """Whether the user has logged in from the address since then."""
    values = {"user_id": user_id, "address": address, "since": since}
    return await users.fetch_one(SELECT_KNOWN_ADDRESS, values) is not None


UPSERT_KNOWN_ADDRESS = (
    "INSERT INTO known_addresses (user_id, address, logged_in_at) VALUES (:user_id, :address, :now)"
    " ON CONFLICT (user_id, address) DO UPDATE SET logged_in_at = excluded.logged_in_at"
)


async def upsert_known_address(users: Transaction, *, user_id: UUID, address: str, now: datetime) -> None:
    await users.execute(UPSERT_KNOWN_ADDRESS, {"user_id": user_id, "address": address, "now": now})


DELETE_KNOWN_ADDRESSES = "DELETE FROM known_addresses WHERE logged_in_at <= :until"


async def delete_known_addresses(users: Transaction, *, until: datetime) -> None:
    """Those of all users from which the last log-in is so long ago."""
    await users.execute(DELETE_KNOWN_ADDRESSES, {"until": until})


DELETE_KNOWN_ADDRESSES_OF_USER = "DELETE FROM known_addresses WHERE user_id = :user_id"


async def delete_known_addresses_of_user(users: Transaction, *, user_id: UUID) -> None:
    await users.execute(DELETE_KNOWN_ADDRESSES_OF_USER, {"user_id": user_id})


DELETE_OTHER_KNOWN_ADDRESSES = "DELETE FROM known_addresses WHERE user_id = :user_id AND address <> :kept"


async def delete_other_known_addresses(users: Transaction, *, user_id: UUID, kept: str) -> None:
    """Of a user, all but one."""
    await users.execute(DELETE_OTHER_KNOWN_ADDRESSES, {"user_id": user_id, "kept": kept})


UPDATE_HASH = "UPDATE passwords SET hash = :new_hash WHERE user_id = :user_id AND hash = :old_hash RETURNING user_id"


async def replace_hash(users: Transaction, *, user_id: UUID, old_hash: str, new_hash: str) -> bool:
    """False, and nothing changes, if the password has been changed in between."""
    values = {"user_id": user_id, "old_hash": old_hash, "new_hash": new_hash}
    return await users.fetch_one(UPDATE_HASH, values) is not None


def digest_token(token: str) -> bytes:
    """The key under which a session is stored: who reads the database cannot use it as a cookie."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class NewSession:
    token: str
    user_id: UUID
    started_at: datetime
    expires_at: datetime


INSERT_SESSION = (
    "INSERT INTO sessions (token_digest, user_id, started_at, expires_at)"
    " VALUES (:token_digest, :user_id, :started_at, :expires_at)"
)


async def insert_session(users: Transaction, *, session: NewSession) -> None:
    times = {"started_at": session.started_at, "expires_at": session.expires_at}
    values = {"token_digest": digest_token(session.token), "user_id": session.user_id, **times}
    await users.execute(INSERT_SESSION, values)


@dataclass(frozen=True, slots=True)
class SessionRow:
    user_id: UUID
    username: str
    started_at: datetime
    expires_at: datetime


SELECT_SESSION = (
    "SELECT users.user_id, users.username, sessions.started_at, sessions.expires_at"
    " FROM sessions JOIN users USING (user_id) WHERE sessions.token_digest = :token_digest"
)


async def find_session(users: Readable, *, token: str) -> SessionRow | None:
    """Also one that has expired."""
    row = await users.fetch_one(SELECT_SESSION, {"token_digest": digest_token(token)})
    return None if row is None else SessionRow(row["user_id"], row["username"], row["started_at"], row["expires_at"])


UPDATE_SESSION_EXPIRY = "UPDATE sessions SET expires_at = :expires_at WHERE token_digest = :token_digest"


async def update_session_expiry(users: Transaction, *, token: str, expires_at: datetime) -> None:
    await users.execute(UPDATE_SESSION_EXPIRY, {"token_digest": digest_token(token), "expires_at": expires_at})


DELETE_SESSION = "DELETE FROM sessions WHERE token_digest = :token_digest"


async def delete_session(users: Transaction, *, token: str) -> None:
    await users.execute(DELETE_SESSION, {"token_digest": digest_token(token)})


DELETE_SESSIONS_OF_USER = "DELETE FROM sessions WHERE user_id = :user_id"


async def delete_sessions_of_user(users: Transaction, *, user_id: UUID) -> None:
    await users.execute(DELETE_SESSIONS_OF_USER, {"user_id": user_id})


DELETE_OLDEST_SESSIONS = (
    "DELETE FROM sessions WHERE user_id = :user_id AND session <="
    " (SELECT session FROM sessions WHERE user_id = :user_id ORDER BY session DESC LIMIT 1 OFFSET :kept)"
)


async def delete_oldest_sessions(users: Transaction, *, user_id: UUID, kept: int) -> None:
    """All of a user but those that began last."""
    await users.execute(DELETE_OLDEST_SESSIONS, {"user_id": user_id, "kept": kept})


DELETE_EXPIRED_SESSIONS = (
    "DELETE FROM sessions WHERE session IN"
    " (SELECT session FROM sessions WHERE expires_at <= :until ORDER BY expires_at LIMIT :limit)"
)


async def delete_expired_sessions(users: Transaction, *, until: datetime, limit: int) -> None:
    """Those of all users that expired first."""
    await users.execute(DELETE_EXPIRED_SESSIONS, {"until": until, "limit": limit})


ANY_USER = "SELECT user_id FROM users LIMIT 1"


async def check_users(users: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await users.fetch_one(ANY_USER)
