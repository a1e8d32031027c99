"""Logging in: the name and the password for a token's holder, and not too many failures for a name."""

from datetime import datetime, timedelta
from functools import partial
from math import ceil
from uuid import UUID

from databases import Database

from servicekit.databases import write
from servicekit.problems import TooMany, Unauthorized, Unavailable
from servicekit.sessions import Session
from users import queries
from users.passwords import Passwords

MAX_FAILURES = 5
WINDOW = timedelta(minutes=1)


async def log_in(users: Database, passwords: Passwords, *, username: str, password: str, now: datetime) -> UUID:
    """The player's id. Raises Unauthorized for a wrong name or password, TooMany after too many of them,
    Unavailable while too many others log in.

    An attempt is counted before the password is looked at, and taken back if it was right: of a thousand attempts at
    the same instant, on whichever instances, five get to try.
    """
    attempt = await write(users, partial(count_attempt, username=username, now=now))
    login = await queries.find_login(users, username=username)
    try:
        matches = await passwords.verify(password, None if login is None else login.password_hash)
    except Unavailable:
        await write(users, partial(queries.delete_attempt, attempt=attempt))  # nobody has looked at it
        raise
    if login is None or not matches:
        raise Unauthorized("The name or the password is wrong.")
    await write(users, partial(queries.delete_attempt, attempt=attempt))
    return login.user_id


async def count_attempt(users: Session, *, username: str, now: datetime) -> int:
    """The attempt's number. The write lock makes counting and noting one step."""
    # Those of the future too: the clock was put back, and nobody has to wait until it is there again.
    await queries.delete_attempts_outside(users, first=now - WINDOW, last=now + WINDOW)
    attempts = await queries.list_attempts(users, username=username)
    if len(attempts) >= MAX_FAILURES:
        wait = attempts[-MAX_FAILURES] + WINDOW - now
        raise TooMany(
            "Too many attempts for this name within a minute. Try again later.",
            retry_after_s=ceil(wait.total_seconds()),
        )
    return await queries.insert_attempt(users, username=username, moment=now)
