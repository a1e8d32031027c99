"""Logging in with a name and a password, and the limits on failures."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil

from servicekit.clock import Clock
from servicekit.db.database import Readable
from servicekit.db.transaction import Transaction
from servicekit.problems import TooMany, Unauthorized, Unavailable
from users import queries
from users.login_limits import (
    BY_ADDRESS,
    BY_NAME,
    BY_NAME_AND_UNKNOWN_ADDRESS,
    LONGEST_PERIOD,
    REMEMBERED,
    Failures,
    find_wait,
)
from users.queries import Attempt, LoginRow
from users.resources import UsersResources

WRONG = (
    "The name or the password is wrong. A player from an old database has no password yet: the operator gives them the"
    " first one."
)
"""The same for all, so that it does not tell who has no password."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a log-in request contains, and from where it comes."""

    username: str
    password: str
    address: str
    """As users/addresses.py gives it."""


def list_spellings(username: str) -> list[str]:
    """A name as typed, then with its accents composed and decomposed: names of old databases may be either."""
    forms = (username, unicodedata.normalize("NFC", username), unicodedata.normalize("NFD", username))
    return list(dict.fromkeys(forms))


async def find_login(users: Readable, username: str) -> LoginRow | None:
    """The player whose name is one of the spellings."""
    for spelling in list_spellings(username):
        login = await queries.find_login(users, username=spelling)
        if login is not None:
            return login
    return None


async def log_in(resources: UsersResources, credentials: Credentials) -> LoginRow:
    """The player, with the hash that is stored of the password. Raises Unauthorized for a wrong name or password,
    TooMany after too many failures, Unavailable while too many others log in."""
    login = await find_login(resources.users, credentials.username)
    password_hash = await check_password(resources, login, credentials)
    if password_hash is None or login is None:
        raise Unauthorized(WRONG)
    return replace(login, password_hash=password_hash)


async def check_password(resources: UsersResources, login: LoginRow | None, credentials: Credentials) -> str | None:
    """The hash that is stored of the right password, None for a wrong one. Raises TooMany after too many failures,
    Unavailable while too many others log in.

    An attempt is stored, under the write lock, before the password is checked, and deleted if it was right: of a
    thousand attempts at the same instant, on any instances, only as many are checked as may fail. A player who
    does not exist or has no password takes as long as any other.
    """
    users, clock = resources.users, resources.clock
    attempt = await users.write(partial(count_attempt, login=login, credentials=credentials, clock=clock))
    stored_hash = None if login is None else login.password_hash
    try:
        verdict = await resources.passwords.verify(credentials.password, stored_hash, address=credentials.address)
    except Unavailable:
        await users.write(partial(queries.delete_attempt, attempt=attempt))  # the password was not checked
        raise
    if login is None or not verdict.matches:
        return None
    success = partial(
        store_success, attempt=attempt, login=login, new_hash=verdict.new_hash, address=credentials.address, now=clock()
    )
    return (verdict.new_hash or stored_hash) if await users.write(success) else None


async def count_attempt(users: Transaction, *, login: LoginRow | None, credentials: Credentials, clock: Clock) -> int:
    """The attempt's number. Raises TooMany; the write lock makes counting and storing one step."""
    now = clock()  # under the lock: an attempt that got it before this one is not in the future
    username = credentials.username if login is None else login.username  # the stored spelling
    address = credentials.address
    # Attempts in the far future too, which a clock that was put back has left.
    await queries.delete_attempts_outside(users, first=now - LONGEST_PERIOD, last=now + LONGEST_PERIOD)
    is_known = login is not None and await queries.is_known_address(
        users, user_id=login.user_id, address=address, since=now - REMEMBERED
    )
    failures = await read_failures(users, username=username, address=address, now=now)
    wait = find_wait(failures, is_known=is_known, now=now)
    if wait > timedelta(0):
        raise TooMany("Too many log-ins have failed. Try again later.", retry_after_s=ceil(wait.total_seconds()))
    return await queries.insert_attempt(users, attempt=Attempt(username, address, is_known, now))


async def read_failures(users: Readable, *, username: str, address: str, now: datetime) -> Failures:
    """No more of them than the limits look at."""
    return Failures(
        by_name_and_address=await queries.list_attempts_by_name_and_address(
            users, username=username, address=address, until=now, limit=BY_NAME_AND_UNKNOWN_ADDRESS.failures
        ),
        by_address=await queries.list_attempts_by_address(users, address=address, until=now, limit=BY_ADDRESS.failures),
        by_name=await queries.list_attempts_by_name(users, username=username, until=now, limit=BY_NAME.failures),
    )


async def store_success(
    users: Transaction, *, attempt: int, login: LoginRow, new_hash: str | None, address: str, now: datetime
) -> bool:
    """Takes the attempt back, and remembers the address as known. A hash is renewed only if it is still the one that
    was checked: a password that was changed in between stays.

    False, and nothing is remembered, if the account has ended in between; the write lock decides which comes first.
    """
    await queries.delete_attempt(users, attempt=attempt)
    stored = await queries.find_login_by_id(users, user_id=login.user_id)
    if stored is None or stored.password_hash is None:
        return False
    await queries.delete_known_addresses(users, until=now - REMEMBERED)
    await queries.upsert_known_address(users, user_id=login.user_id, address=address, now=now)
    if new_hash is not None and login.password_hash is not None:
        await queries.replace_hash(users, user_id=login.user_id, old_hash=login.password_hash, new_hash=new_hash)
    return True
