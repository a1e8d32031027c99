"""Logging in with a name and a password, and the limits on failures."""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from uuid import UUID

from servicekit.clock import Clock
from servicekit.db.database import Readable
from servicekit.db.engine import NO_LOCK, LockKeys
from servicekit.db.transaction import Transaction
from servicekit.problems import TooMany, Unauthorized, Unavailable
from users import queries
from users.logins.limits import (
    BY_ADDRESS,
    BY_NAME,
    BY_NAME_AND_UNKNOWN_ADDRESS,
    LONGEST_PERIOD,
    REMEMBERED,
    Failures,
    find_wait,
)
from users.logins.passwords import Verdict
from users.queries import Attempt, LoginRow
from users.resources import UsersResources

WRONG = (
    "The name or the password is wrong. A player from an old database has no password yet: the operator gives them the"
    " first one."
)
"""The same for all, so that it does not tell who has no password."""
CHECKS = 2
"""Of one password, whose hash may be replaced during the first; two replacements within two checks are not followed."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a log-in request contains, and from where it comes."""

    username: str
    password: str
    address: str
    """As users/logins/addresses.py gives it."""


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

    An attempt is stored, under a lock, before the password is checked, and deleted if it was right: of a
    thousand attempts at the same instant, on any instances, only as many are checked as may fail. A player who
    does not exist or has no password takes as long as any other.

    If the stored hash was replaced during the check, the password is checked again: it still matches a hash that
    another log-in has renewed, and no longer one of a new password.
    """
    users, clock = resources.users, resources.clock
    count = partial(count_attempt, login=login, credentials=credentials, clock=clock)
    attempt = await users.write(count, lock=attempt_keys(login, credentials))
    stored_hash = None if login is None else login.password_hash
    for _ in range(CHECKS):
        verdict = await verify_password(resources, stored_hash, credentials, attempt=attempt)
        if login is None or stored_hash is None or not verdict.matches:
            return None
        success = Success(
            attempt, login.user_id, credentials.address, stored_hash, verdict.new_hash or stored_hash, clock()
        )
        stored_hash = await users.write(partial(store_success, success=success), lock=(login.user_id,))
        if stored_hash in {success.new_hash, None}:
            return stored_hash
    return None


async def verify_password(
    resources: UsersResources, stored_hash: str | None, credentials: Credentials, *, attempt: int
) -> Verdict:
    """Takes the attempt back if the password could not be checked, which raises Unavailable."""
    try:
        return await resources.passwords.verify(credentials.password, stored_hash, address=credentials.address)
    except Unavailable:
        await resources.users.write(partial(queries.delete_attempt, attempt=attempt), lock=NO_LOCK)
        raise


def counted_name(login: LoginRow | None, credentials: Credentials) -> str:
    """The stored spelling."""
    return credentials.username if login is None else login.username


def attempt_keys(login: LoginRow | None, credentials: Credentials) -> LockKeys:
    """Failures are counted by name and by address, so attempts with one of the two in common wait for each other."""
    return f"log-ins as {counted_name(login, credentials)}", f"log-ins from {credentials.address}"


async def count_attempt(users: Transaction, *, login: LoginRow | None, credentials: Credentials, clock: Clock) -> int:
    """The attempt's number. Raises TooMany; the locks make counting and storing one step."""
    now = clock()  # under the locks: an attempt that got them before this one is not in the future
    username = counted_name(login, credentials)
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


@dataclass(frozen=True, slots=True)
class Success:
    """A log-in whose password matched the hash that was read before the check."""

    attempt: int
    user_id: UUID
    address: str
    checked_hash: str
    new_hash: str
    """The same, or what renews it."""
    at: datetime


async def store_success(users: Transaction, *, success: Success) -> str | None:
    """Takes the attempt back, remembers the address as known, and renews the hash; gives the hash that is stored then.

    Nothing changes if the stored hash is no longer the checked one, or if there is none since the account has ended;
    the lock of the player decides which comes first.
    """
    stored = await queries.find_login_by_id(users, user_id=success.user_id)
    if stored is None or stored.password_hash != success.checked_hash:
        return None if stored is None else stored.password_hash
    await queries.delete_attempt(users, attempt=success.attempt)
    await queries.delete_known_addresses(users, until=success.at - REMEMBERED)
    await queries.upsert_known_address(users, user_id=success.user_id, address=success.address, now=success.at)
    if success.new_hash != success.checked_hash:
        await queries.upsert_password(users, user_id=success.user_id, password_hash=success.new_hash)
    return success.new_hash
