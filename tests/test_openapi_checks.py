"""The schema check of tests/support/openapi_checks.py accepts conforming values and reports each violation."""

import pytest

from tests.support.openapi_checks import Json, find_differences

SCHEMA = {"$ref": "#/components/schemas/Play"}
DOCUMENT = {
    "components": {
        "schemas": {
            "Play": {
                "type": "object",
                "required": ["user_id"],
                "properties": {
                    "user_id": {"type": "string", "format": "uuid"},
                    "began_at": {"type": "string", "format": "date-time"},
                    "guesses": {"type": "array", "maxItems": 2, "items": {"type": "string", "pattern": "^[a-z]{5}$"}},
                    "answer": {"anyOf": [{"$ref": "#/components/schemas/Answer"}, {"type": "null"}]},
                    "keyboard": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
            "Answer": {"type": "object", "properties": {"type": {"type": "string"}}},
        }
    }
}
USER_ID = "21c53f3e-d25a-47e9-b736-42583dc93e8a"


def test_conforming_value_has_no_difference() -> None:
    play = {
        "user_id": USER_ID,
        "began_at": "2022-03-14T19:30:00.5Z",
        "guesses": ["crane"],
        "answer": None,
        "keyboard": {"c": "absent"},
    }
    assert find_differences(play, SCHEMA, DOCUMENT, "play") == []
    assert find_differences({"user_id": USER_ID, "answer": {"type": "word"}}, SCHEMA, DOCUMENT, "play") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "21c53f3e"),
        ("user_id", None),
        ("began_at", "yesterday"),
        ("began_at", "2022-03-14T19:30:00"),
        ("guesses", ["crane", "c"]),
        ("guesses", ["crane"] * 3),
        ("guesses", "crane"),
        ("answer", {"word": "crane"}),
        ("keyboard", {"c": 1}),
        ("not_described", 1),
    ],
)
def test_nonconforming_value_is_one_difference(field: str, value: Json) -> None:
    (difference,) = find_differences({"user_id": USER_ID, field: value}, SCHEMA, DOCUMENT, "play")
    assert difference.startswith("play")


def test_missing_required_field_is_a_difference() -> None:
    assert find_differences({}, SCHEMA, DOCUMENT, "play") == ['play: "user_id" is a required property']
