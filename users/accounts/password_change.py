"""Changing one's own password, with the old one."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from servicekit.db.transaction import Transaction
from users import queries
from users.logins.log_in import Credentials, check_password
from users.problems import OldPasswordWrong, PasswordChanged
from users.resources import UsersResources


@dataclass(frozen=True, slots=True)
class Change:
    user_id: UUID
    old_password: str
    new_password: str
    address: str
    """The client's, as users/logins/addresses.py gives it."""


async def change_own_password(resources: UsersResources, change: Change) -> None:
    """Raises OldPasswordWrong, TooMany and Unavailable as a log-in does, PasswordChanged if the password is changed by
    another request at the same time."""
    users, passwords = resources.users, resources.passwords
    login = await queries.find_login_by_id(users, user_id=change.user_id)
    username = str(change.user_id) if login is None else login.username
    credentials = Credentials(username, change.old_password, change.address)
    old_hash = await check_password(resources, login, credentials)
    if old_hash is None:
        raise OldPasswordWrong("The old password is wrong.")
    new_hash = await passwords.hash(change.new_password, address=change.address)
    replace = partial(replace_password, change=change, old_hash=old_hash, new_hash=new_hash)
    await users.write(replace, lock=(change.user_id,))


async def replace_password(users: Transaction, *, change: Change, old_hash: str, new_hash: str) -> None:
    """In the same transaction ends all sessions of the player, and forgets all other addresses, from which another
    person may have logged in with the old password. Raises PasswordChanged."""
    # The old hash in the statement's WHERE decides between two changes at the same time.
    if not await queries.replace_hash(users, user_id=change.user_id, old_hash=old_hash, new_hash=new_hash):
        raise PasswordChanged("The password was changed by another request at the same time.")
    await queries.delete_sessions_of_user(users, user_id=change.user_id)
    await queries.delete_other_known_addresses(users, user_id=change.user_id, kept=change.address)
