"""Registering players, and storing their passwords."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from servicekit.db.database import Readable
from servicekit.db.transaction import Transaction
from servicekit.problems import NotFound, TooMany
from users import queries
from users.accounts.names import RETIRED_FOR, is_placeholder, name_key
from users.logins.log_in import Credentials, check_password
from users.problems import NameTaken
from users.resources import UsersResources

REPEATED_WITHIN = timedelta(minutes=1)
"""How long the same registration may come again: Traefik tries for ten seconds, and a client may, too."""


async def register(resources: UsersResources, credentials: Credentials) -> tuple[UUID, bool]:
    """The player's id, and whether the player is new. Raises NameTaken; Unavailable as a log-in does."""
    try:
        return await store_player(resources, credentials), True
    except NameTaken:
        user_id = await find_repeated(resources, credentials)
        if user_id is None:
            raise
        return user_id, False


async def store_player(resources: UsersResources, credentials: Credentials) -> UUID:
    """A random id. Raises NameTaken."""
    username, address = credentials.username, credentials.address
    await require_free_name(resources.users, username, now=resources.clock())  # spares a hash
    # Before the lock, for which others wait.
    password_hash = await resources.passwords.hash(credentials.password, address=address)
    player = NewPlayer(uuid4(), username, password_hash, address, resources.clock())
    await resources.users.write(partial(add_user, player=player), lock=(name_key(username),))
    return player.user_id


async def find_repeated(resources: UsersResources, credentials: Credentials) -> UUID | None:
    """The player who has just registered with the same name, password and address: a client, or Traefik, that got no
    answer sends the same registration again.

    The password is checked as by a log-in, whose failures are limited, so this is no further way to guess it.
    """
    users, username, address = resources.users, credentials.username, credentials.address
    login = await queries.find_login(users, username=username)
    since = resources.clock() - REPEATED_WITHIN
    if login is None or not await queries.is_known_address(users, user_id=login.user_id, address=address, since=since):
        return None
    try:
        password_hash = await check_password(resources, login, credentials)
    except TooMany:
        return None
    return None if password_hash is None else login.user_id


async def require_free_name(users: Readable, username: str, *, now: datetime) -> None:
    """Raises NameTaken if another player has the name, or has had it until the end of their account within a year."""
    if await queries.find_login(users, username=username) is not None:
        raise taken(username)
    if await queries.is_retired_name(users, username=username, since=now - RETIRED_FOR):
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
    """Raises NameTaken if the name is taken, also if that happened since `require_free_name`: the lock of the name
    decides between this and the end of the account that had it."""
    year_ago = player.registered_at - RETIRED_FOR
    await queries.delete_retired_names(users, until=year_ago)
    if await queries.is_retired_name(users, username=player.username, since=year_ago):
        raise taken(player.username)
    # UNIQUE (username) decides between two who want the same name at the same instant
    if not await queries.insert_user(users, user_id=player.user_id, username=player.username):
        raise taken(player.username)
    await queries.upsert_password(users, user_id=player.user_id, password_hash=player.password_hash)
    await queries.upsert_known_address(users, user_id=player.user_id, address=player.address, now=player.registered_at)


def taken(username: str) -> NameTaken:
    return NameTaken(f"The name {username} is taken; choose another.")


async def set_password(users: Transaction, *, user_id: UUID, password_hash: str) -> None:
    """An administrator's choice; ends all sessions of the player, and forgets from where the player has logged in.
    Raises NotFound if there is no such player, or if the account has ended."""
    row = await queries.find_user(users, user_id=user_id)
    if row is None or is_placeholder(row.username, user_id):
        raise NotFound(f"There is no user {user_id}.")
    await queries.upsert_password(users, user_id=user_id, password_hash=password_hash)
    await queries.delete_sessions_of_user(users, user_id=user_id)
    await queries.delete_known_addresses_of_user(users, user_id=user_id)
