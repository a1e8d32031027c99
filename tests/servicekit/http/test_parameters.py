"""Strict parsing of numbers and UUIDs in paths and queries."""

from typing import Annotated
from uuid import UUID

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from servicekit.http.parameters import DIGITS_ONLY, UuidParameter

NUMBER: TypeAdapter[int] = TypeAdapter(Annotated[int, Field(ge=0, le=10**6), DIGITS_ONLY])
ID: TypeAdapter[UUID] = TypeAdapter(UuidParameter)
USER = "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"


@pytest.mark.parametrize("number", [0, 7, 1983, 1_000_000])
def test_number_in_digits_is_accepted(number: int) -> None:
    assert NUMBER.validate_python(str(number)) == number


@pytest.mark.parametrize(
    "text", ["1983.0", "+1", "-1", " 1", "1 ", "1\n", "1_000", "01", "1e3", "\u0661", "\uff11", ""]
)
def test_number_in_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="a whole number, in the digits 0-9 only"):
        NUMBER.validate_python(text)


@pytest.mark.parametrize("text", ["1000001", "9" * 5000])
def test_number_over_its_limit_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        NUMBER.validate_python(text)


def test_limits_stay_in_the_json_schema() -> None:
    assert NUMBER.json_schema() == {"type": "integer", "minimum": 0, "maximum": 10**6}


@pytest.mark.parametrize("text", [USER, USER.upper(), USER.replace("-", "")])
def test_uuid_in_a_usual_spelling_is_accepted(text: str) -> None:
    assert ID.validate_python(text) == UUID(USER)


@pytest.mark.parametrize("text", [f"{{{USER}}}", f"urn:uuid:{USER}", f" {USER}", f"{USER}\n", USER.replace("-", "", 1)])
def test_uuid_in_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="a UUID such as"):
        ID.validate_python(text)
