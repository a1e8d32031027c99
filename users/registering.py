"""What is stored of a player who registers, and of one who is given a password; each is a transaction."""

from uuid import UUID

from servicekit.problems import Conflict, NotFound
from servicekit.sessions import Session
from users import queries


async def add_user(users: Session, *, user_id: UUID, username: str, password_hash: str) -> None:
    """Raises Conflict if the name is taken."""
    # UNIQUE (username) decides between two who want the same name at the same instant
    if not await queries.insert_user(users, user_id=user_id, username=username):
        raise Conflict(f"The name {username} is taken; choose another.")
    await queries.upsert_password(users, user_id=user_id, password_hash=password_hash)


async def change_password(users: Session, *, user_id: UUID, password_hash: str) -> None:
    """Raises NotFound if there is no such player."""
    if await queries.find_user(users, user_id=user_id) is None:
        raise NotFound(f"There is no user {user_id}.")
    await queries.upsert_password(users, user_id=user_id, password_hash=password_hash)
