"""What a route of users is given."""

from datetime import timedelta
from typing import Annotated

from databases import Database
from fastapi import Form, Path, Query

from servicekit.clock import Clock
from servicekit.given import given
from users.minting import TokenMint
from users.models import TokenRequest, UserId
from users.passwords import Passwords

UsersDatabase = Annotated[Database, given("users")]
CurrentPasswords = Annotated[Passwords, given("passwords")]
CurrentMint = Annotated[TokenMint, given("mint")]
TokenLifetime = Annotated[timedelta, given("token_lifetime")]
CurrentClock = Annotated[Clock, given("clock")]
LoginForm = Annotated[TokenRequest, Form()]
UserInPath = Annotated[UserId, Path(description="the player's id, a UUID")]
NameInQuery = Annotated[
    str | None, Query(description="the player with exactly this name; `limit` and `after` do not count then")
]
AfterInQuery = Annotated[UserId | None, Query(description="the last `user_id` of the page before")]
