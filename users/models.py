"""What users takes and gives."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr
from pydantic.config import JsonDict

from users.names import NEW_NAME, check_new_name

EXAMPLE_USER: JsonDict = {"user_id": "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11", "username": "ada"}

UserId = UUID
NewName = Annotated[
    StrictStr,
    AfterValidator(check_new_name),
    Field(
        description="3-32 of the letters a-z and A-Z, digits, `_`, `.` and `-`; case-sensitive",
        json_schema_extra={"pattern": f"^{NEW_NAME.pattern}$"},
    ),
]


class NewUser(BaseModel):
    """A player who registers."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"username": "ada"}})

    username: NewName


class User(BaseModel):
    """A player."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_USER})

    user_id: UserId = Field(description="the player's id, by which all services know them")
    username: str = Field(description="the player's name; names from an old database may have any characters")


class Users(BaseModel):
    """A page of players, in the order of their ids; or, asked for by name, one or none."""

    model_config = ConfigDict(json_schema_extra={"example": {"users": [EXAMPLE_USER]}})

    users: list[User] = Field(description="the players")
