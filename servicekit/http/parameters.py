"""Numbers and ids in paths and queries, as strict as in a JSON body.

Pydantic would also read `1983.0`, `+1`, ` 1`, `1_000` and Arabic digits as numbers, and `{...}` and `urn:uuid:...` as
UUIDs.
"""

import re
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

WHOLE_NUMBER = re.compile("0|[1-9][0-9]*")
USUAL_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
"""With its hyphens or without any."""


def require_digits(text: object) -> object:
    if isinstance(text, str) and not WHOLE_NUMBER.fullmatch(text):
        raise ValueError("this should be a whole number, in the digits 0-9 only")
    return text


def require_usual_uuid(text: object) -> object:
    if isinstance(text, str) and not USUAL_UUID.fullmatch(text):
        raise ValueError("this should be a UUID such as 5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
    return text


class NoNull:
    """`Annotated[UUID | None, NO_NULL]`: OpenAPI lists the type alone. A parameter or a field is None if it is left
    out, and is never sent as null.

    (Pydantic's SkipJsonSchema[None] would name the branches of a union in validation errors.)
    """

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        branches: list[JsonSchemaValue] = handler(core_schema)["anyOf"]
        (only,) = [branch for branch in branches if branch != {"type": "null"}]
        return only


NO_NULL = NoNull()
DIGITS_ONLY = BeforeValidator(require_digits)
"""For a number in a path or query: `Annotated[int, Field(ge=1), DIGITS_ONLY, Query()]`. Place it after `Field`: before
it, OpenAPI would lose the type and its minimum."""
UuidParameter = Annotated[UUID, BeforeValidator(require_usual_uuid)]
EXAMPLE_USER_ID = "e29c0f02-20d4-4dac-93b4-d35abe64fa5c"
"""With which Swagger fills in the parameter: a player who is in the data that bin/populate makes by default, the first
on both leaderboards, with a result of game 268."""
UserInPath = Annotated[
    UuidParameter, Path(description="the user's id, a UUID", json_schema_extra={"example": EXAMPLE_USER_ID})
]
