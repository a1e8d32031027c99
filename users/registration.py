"""Storing players and their passwords."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.db.database import Database
from servicekit.db.transaction import Transaction
from servicekit.problems import NotFound
from users import queries
from users.problems import NameTaken


async def require_free_name(users: Database, username: str) -> None:
    """Raises NameTaken if the name is taken: names are public, and this spares a hash. UNIQUE decides later again."""
    if await queries.find_user_by_name(users, username=username) is not None:
        raise taken(username)


@dataclass(frozen=True, slots=True)
class NewPlayer:
    user_id: UUID
    username: str
    password_hash: str
    address: str
    """From where the player registers, which counts as known from then on."""
    registered_at: datetime


async def add_user(users: Transaction, *, player: NewPlayer) -> None:
    """Raises NameTaken if the name is taken."""
    # UNIQUE (username) decides between two who want the same name at the same instant
    if not await queries.insert_user(users, user_id=player.user_id, username=player.username):
        raise taken(player.username)
    await queries.upsert_password(users, user_id=player.user_id, password_hash=player.password_hash)
    await queries.upsert_known_address(users, user_id=player.user_id, address=player.address, now=player.registered_at)


def taken(username: str) -> NameTaken:
    return NameTaken(f"The name {username} is taken; choose another.")


async def set_password(users: Transaction, *, user_id: UUID, password_hash: str) -> None:
    """An administrator's choice; ends all sessions of the player. Raises NotFound if there is no such player."""
    if await queries.find_user(users, user_id=user_id) is None:
        raise NotFound(f"There is no user {user_id}.")
    await queries.upsert_password(users, user_id=user_id, password_hash=password_hash)
    await queries.delete_sessions_of_user(users, user_id=user_id)
