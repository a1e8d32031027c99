"""What users takes and gives."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StrictStr
from pydantic.config import JsonDict

from users.accounts.names import NEW_NAME, check_new_name
from users.logins.passwords import MAX_LENGTH, MIN_LENGTH, check_new_password

EXAMPLE_USER: JsonDict = {"user_id": "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11", "username": "ada"}

EXAMPLE_PASSWORD = "choose your own"  # noqa: S105 - an example
MAX_LOGIN_NAME_LENGTH = 1000
"""Failed attempts are stored for unknown names, too; names from an old database may be longer than new ones."""

UserId = UUID
NewName = Annotated[
    StrictStr,
    AfterValidator(check_new_name),
    Field(
        description="3-32 of the letters a-z and A-Z, digits, `_`, `.` and `-`; case-sensitive",
        json_schema_extra={"pattern": f"^{NEW_NAME.pattern}$"},
    ),
]


def check_password(password: SecretStr) -> SecretStr:
    check_new_password(password.get_secret_value())
    return password


Password = Annotated[
    SecretStr,
    AfterValidator(check_password),
    Field(
        description=f"{MIN_LENGTH}-{MAX_LENGTH} characters of any kind, but none of the most common passwords",
        json_schema_extra={"minLength": MIN_LENGTH, "maxLength": MAX_LENGTH},
    ),
]
"""It never shows itself in a log or a trace."""


class NewUser(BaseModel):
    """A player who registers."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"username": "ada", "password": EXAMPLE_PASSWORD}}
    )

    username: NewName
    password: Password


class NewPassword(BaseModel):
    """The password that a player has from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"password": EXAMPLE_PASSWORD, "old_password": "the one that it replaces"}},
    )

    password: Password
    old_password: SecretStr | None = Field(
        default=None, description="the player's password until now; an administrator needs none"
    )


class AccountEnd(BaseModel):
    """What ends an account."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"example": {"password": EXAMPLE_PASSWORD}}
    )

    password: SecretStr | None = Field(default=None, description="the player's own; an administrator needs none")


class TokenRequest(BaseModel):
    """The form of OAuth2's password flow. What a client may send besides (`client_id`) means nothing here."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"grant_type": "password", "username": "ada", "password": EXAMPLE_PASSWORD}}
    )

    grant_type: Literal["password"] = Field(default="password", description="always `password`")
    username: str = Field(description="the player's name", max_length=MAX_LOGIN_NAME_LENGTH)
    password: SecretStr = Field(description="the player's password")
    scope: Annotated[Literal["player"], BeforeValidator(lambda scope: scope or "player")] = Field(
        default="player", description="`player`, or nothing, which means the same: a password opens no more"
    )


class SignIn(BaseModel):
    """A player who signs in."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"username": "ada", "password": EXAMPLE_PASSWORD}}
    )

    username: str = Field(description="the player's name", max_length=MAX_LOGIN_NAME_LENGTH)
    password: SecretStr = Field(description="the player's password")


class Refresh(BaseModel):
    """An empty object: the cookie says it all. A form of another origin cannot send JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": {}})


class Token(BaseModel):
    """A token, to be sent as `Authorization: Bearer ...`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"access_token": "HEADER.PAYLOAD.SIGNATURE", "token_type": "bearer", "expires_in": 3600}
        }
    )

    access_token: str = Field(description="a JWT with the scope `player`")
    token_type: Literal["bearer"] = Field(description="always `bearer`")
    expires_in: int = Field(description="seconds after which the token ends")


class User(BaseModel):
    """A player."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_USER})

    user_id: UserId = Field(description="the player's id, by which all services know them")
    username: str = Field(
        description="the player's name; names from an old database may have any characters, and that of an account that"
        " has ended is `deleted player ID`",
    )


class UserPage(BaseModel):
    """A page of players, in the order of their ids; or, asked for by name, one or none."""

    model_config = ConfigDict(json_schema_extra={"example": {"users": [EXAMPLE_USER]}})

    users: list[User] = Field(description="the players")
