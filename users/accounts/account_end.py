"""Ending an account: the name, the password and the sessions go, the id and its results stay."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from servicekit.db.transaction import Transaction
from servicekit.problems import NotFound
from users import queries
from users.accounts.names import is_placeholder, make_placeholder, name_key
from users.logins.log_in import Credentials, check_password
from users.problems import PasswordChanged, PasswordWrong
from users.queries import LoginRow
from users.resources import UsersResources


@dataclass(frozen=True, slots=True)
class Proof:
    """The password that proves the caller is the player."""

    password: str
    address: str
    """The client's, as users/logins/addresses.py gives it."""


async def end_account(resources: UsersResources, user_id: UUID, proof: Proof | None) -> None:
    """An administrator gives no proof. Raises NotFound if there is no such account, or none any more; PasswordWrong,
    TooMany and Unavailable as a log-in does; PasswordChanged if that happened at the same time."""
    login = require_account(await queries.find_login_by_id(resources.users, user_id=user_id), user_id)
    checked_hash = None
    if proof is not None:
        credentials = Credentials(login.username, proof.password, proof.address)
        checked_hash = await check_password(resources, login, credentials)
        if checked_hash is None:
            raise PasswordWrong("The password is wrong.")
    now = resources.clock()
    remove = partial(remove_account, user_id=user_id, checked_hash=checked_hash, now=now)
    await resources.users.write(remove, lock=(user_id, name_key(login.username)))


def require_account(login: LoginRow | None, user_id: UUID) -> LoginRow:
    """Raises NotFound if there is no such player, or if the account has ended."""
    if login is None or is_placeholder(login.username, user_id):
        raise NotFound(f"There is no account of the user {user_id}.")
    return login


async def remove_account(users: Transaction, *, user_id: UUID, checked_hash: str | None, now: datetime) -> None:
    """All or nothing, under the locks of the player and the name, where everything is looked at again. Of two ends at
    the same time the second finds no account. A new password, a log-in or a session that was about to be stored comes
    before, and goes here, or after, and finds no password (registration.py, users/logins/log_in.py,
    users/sessions/browser_sessions.py).
    """
    login = require_account(await queries.find_login_by_id(users, user_id=user_id), user_id)
    if checked_hash is not None and checked_hash != login.password_hash:
        raise PasswordChanged("The password was changed by another request at the same time.")
    await queries.delete_password(users, user_id=user_id)
    await queries.delete_sessions_of_user(users, user_id=user_id)
    await queries.delete_known_addresses_of_user(users, user_id=user_id)
    await queries.delete_attempts_of_name(users, username=login.username)
    await queries.upsert_retired_name(users, username=login.username, now=now)
    await queries.rename_user(users, user_id=user_id, username=make_placeholder(user_id))
