"""All SQL of users."""

from dataclasses import dataclass
from uuid import UUID

from databases import Database
from databases.core import Connection

from servicekit.databases import Readable
from servicekit.statements import Statement


@dataclass(frozen=True, slots=True)
class UserRow:
    user_id: UUID
    username: str


INSERT_USER = Statement(
    "INSERT INTO users (user_id, username) VALUES (:user_id, :username)"
    " ON CONFLICT (username) DO NOTHING RETURNING user_id"
)


async def insert_user(users: Connection, *, user_id: UUID, username: str) -> bool:
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


ANY_USER = Statement("SELECT user_id FROM users LIMIT 1")


async def check_users(users: Database) -> None:
    """Raises DatabaseUnavailable if the database does not answer."""
    await users.fetch_one(ANY_USER)
