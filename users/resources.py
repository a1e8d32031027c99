"""What the routes of users work with."""

from dataclasses import dataclass
from datetime import timedelta

from servicekit.clock import Clock
from servicekit.db.database import Database
from users.logins.passwords import Passwords
from users.token_issuer import TokenIssuer


@dataclass(frozen=True, slots=True)
class UsersResources:
    """Made by `create_app`; they live as long as the app."""

    users: Database
    passwords: Passwords
    token_issuer: TokenIssuer
    token_lifetime: timedelta
    clock: Clock
