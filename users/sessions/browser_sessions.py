"""Sessions: a player signs in with the password once, and the browser then gets access tokens for its cookie.

The cookie is a random token, of which the database has the hash only. A refresh reads; every change is one transaction
under the lock of the player, and reads again there what it relies on. Only signing out locks nothing: it deletes, and
whether an extension came just before or just after makes no difference to a session that is gone.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from servicekit.db.database import Database, Readable
from servicekit.db.engine import NO_LOCK
from servicekit.db.transaction import Transaction
from servicekit.problems import DatabaseUnavailable
from users import queries
from users.problems import PasswordChanged, SessionEnded
from users.queries import LoginRow, NewSession, SessionRow
from users.resources import UsersResources
from users.sessions.lifetime import LIFETIME, SESSIONS_PER_PLAYER, find_extension

logger = logging.getLogger("quintet")

TOKEN_BYTES = 32
"""256 random bits: no limit on guessing is needed, and a fast hash without a salt is enough."""
PURGED_AT_ONCE = 100
"""Expired sessions that are deleted when one begins, so that the transaction stays short and they become fewer."""


async def start_session(resources: UsersResources, login: LoginRow, *, replaced: Sequence[str]) -> str:
    """The token of a new session of a player whose password was just checked.

    Never a token that a client has sent; `replaced` are those that this browser had, whose sessions end. Raises
    PasswordChanged if the password is no longer the one that was checked.
    """
    token, now = secrets.token_urlsafe(TOKEN_BYTES), resources.clock()
    session = NewSession(token, login.user_id, started_at=now, expires_at=now + LIFETIME)
    store = partial(store_session, session=session, login=login, replaced=replaced)
    await resources.users.write(store, lock=(login.user_id,))
    return token


async def store_session(users: Transaction, *, session: NewSession, login: LoginRow, replaced: Sequence[str]) -> None:
    """Compares the hash under the lock: a new password, or the end of the account, ends all sessions, and one
    that was about to begin with the old password must not outlive that."""
    stored = await queries.find_login_by_id(users, user_id=session.user_id)
    if stored is None or stored.password_hash != login.password_hash:
        raise PasswordChanged("The password was changed by another request at the same time. Sign in again.")
    await queries.delete_expired_sessions(users, until=session.started_at, limit=PURGED_AT_ONCE)
    await delete_sessions(users, tokens=replaced)
    await queries.insert_session(users, session=session)
    await queries.delete_oldest_sessions(users, user_id=session.user_id, kept=SESSIONS_PER_PLAYER)


async def end_sessions(users: Database, *, tokens: Sequence[str]) -> None:
    """Writes only if there is one of the sessions, expired or not."""
    stored = [token for token in tokens if await queries.find_session(users, token=token) is not None]
    if stored:
        await users.write(partial(delete_sessions, tokens=stored), lock=NO_LOCK)


async def delete_sessions(users: Transaction, *, tokens: Sequence[str]) -> None:
    for token in tokens:
        await queries.delete_session(users, token=token)


async def find_session(users: Readable, *, token: str | None, now: datetime) -> SessionRow | None:
    """The session of a cookie; None if there is none, or if it has expired."""
    session = None if token is None else await queries.find_session(users, token=token)
    return session if session is not None and now < session.expires_at else None


@dataclass(frozen=True, slots=True)
class Refreshed:
    user_id: UUID
    cookie_lifetime: timedelta | None = None
    """What the browser is told, if the session was extended."""


async def refresh_session(resources: UsersResources, *, token: str | None) -> Refreshed:
    """The player, whose session is extended if it is time to. Raises SessionEnded if there is none.

    The token stays the same: of two tabs that refresh at once, a new one would sign out the other. If the extension
    cannot be stored, the session is as good as before, and the next refresh tries again.
    """
    now = resources.clock()
    session = await find_session(resources.users, token=token, now=now)
    if token is None or session is None:
        raise SessionEnded("This browser is not signed in, or its session has ended. Sign in.")
    if find_extension(started_at=session.started_at, expires_at=session.expires_at, now=now) is None:
        return Refreshed(session.user_id)
    try:
        return await resources.users.write(partial(extend_session, token=token, now=now), lock=(session.user_id,))
    except DatabaseUnavailable as error:
        logger.warning("A session was not extended: %s", error.detail)
        return Refreshed(session.user_id)


async def extend_session(users: Transaction, *, token: str, now: datetime) -> Refreshed:
    """Looks again under the lock: the session may have ended, or been extended by another tab. Raises
    SessionEnded."""
    session = await find_session(users, token=token, now=now)
    if session is None:
        raise SessionEnded("This browser was signed out at the same time. Sign in.")
    extension = find_extension(started_at=session.started_at, expires_at=session.expires_at, now=now)
    if extension is None:
        return Refreshed(session.user_id)
    await queries.update_session_expiry(users, token=token, expires_at=extension)
    return Refreshed(session.user_id, cookie_lifetime=extension - now)
