"""Changing one's own password, with the old one."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from servicekit.problems import Conflict
from users import queries
from users.logins import Credentials, check_password
from users.problems import OldPasswordWrong
from users.resources import UsersResources


@dataclass(frozen=True, slots=True)
class Change:
    user_id: UUID
    old_password: str
    new_password: str
    address: str
    """The client's, as users/addresses.py gives it."""


async def change_own_password(resources: UsersResources, change: Change) -> None:
    """Raises OldPasswordWrong, TooMany and Unavailable as a log-in does, Conflict if the password is changed by another
    request at the same time."""
    users, passwords = resources.users, resources.passwords
    login = await queries.find_login_by_id(users, user_id=change.user_id)
    username = str(change.user_id) if login is None else login.username
    credentials = Credentials(username, change.old_password, change.address)
    old_hash = await check_password(resources, login, credentials)
    if old_hash is None:
        raise OldPasswordWrong("The old password is wrong.")
    new_hash = await passwords.hash(change.new_password, address=change.address)
    # The old hash in the statement's WHERE decides between two changes at the same time.
    replace = partial(queries.replace_hash, user_id=change.user_id, old_hash=old_hash, new_hash=new_hash)
    if not await users.write(replace):
        raise Conflict("The password was changed by another request at the same time.")
