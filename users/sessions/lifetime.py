"""How long a browser stays signed in: the rules, without a database."""

from datetime import datetime, timedelta

LIFETIME = timedelta(days=30)
"""How long a session lives that is not used."""
EXTENDED_AT_MOST_EVERY = timedelta(days=1)
"""An extension is a write; refreshing the access token every ten minutes is none."""
LONGEST = timedelta(days=365)
"""How long a session lives however much it is used."""
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
"""An access token cannot be revoked, so it outlives its session by this at most."""
SESSIONS_PER_PLAYER = 10


def find_extension(*, started_at: datetime, expires_at: datetime, now: datetime) -> datetime | None:
    """When a session that is used now expires from now on; None if that stays as it is."""
    extended = min(now + LIFETIME, started_at + LONGEST)
    return extended if extended - expires_at >= EXTENDED_AT_MOST_EVERY else None
