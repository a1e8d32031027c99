"""A number, an id or a time is taken in its usual spelling only, whatever else Python or pydantic would read.

The parameters and fields are those of the OpenAPI documents, so that a new one is tried without anyone thinking of it.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from starlette.testclient import TestClient

from tests.support.all_services import TODAY, Suite
from tests.support.fuzz_cases import OPERATIONS
from tests.support.openapi_checks import JSON, Schema, resolve
from tests.support.problem_checks import assert_problem
from tests.support.valid_requests import GOOD, PLAYER, fitting_headers, make_body
from tests.test_openapi import APPS

NUMBERS = (
    "{}.0", "{}.", "+{}", "-{}", " {}", "{} ", "{}_0", "{},0", "0{}", "{}e0", "0x{}", "{}L", "", "true", "null", "[{}]",
    "\N{ARABIC-INDIC DIGIT ONE}{}", "\N{FULLWIDTH DIGIT ONE}{}", "{}\N{SUPERSCRIPT TWO}", "{}\N{NO-BREAK SPACE}",
)  # fmt: skip
"""How a number may be written elsewhere."""
UUIDS = ("{{{}}}", "urn:uuid:{}", " {}", "{} ", "({})", "{}-", "0{}", "")
TIMES = (
    "2022-03-14", "2022-03-14 ", "20220314T193000Z", "2022-03-14T19", "2022-W11-1T19:30:00Z", "2022-03-14_19:30:00Z",
    "1647286200", "1647286200.5", "19:30:00", " 2022-03-14T19:30:00Z", "2022-03-14T19:30:00Z ", "now", "",
    "2022-03-14T24:00:00Z", "2022-3-14T19:30:00Z", "+2022-03-14T19:30:00Z", "2022-03-14T19:30:60Z",
    "2022-03-14T19:30:00 UTC", "2022-03-14T19:30:00+1", "2022-03-14T19:30:00[Europe/Berlin]",
)  # fmt: skip
SAMPLES: dict[str, tuple[Any, ...]] = {
    "integer": ("1", 1.0, 1.5, True, "true", "", [1], None, 10**400),
    "boolean": ("true", "false", "yes", "on", "1", "", 1, 0, 1.0, [], None),
    "string": (1, 1.5, True, ["crane"], {}, None),
    "array": ("crane", {"crane": 1}, 1, True, None),
}
"""Values of other types, by the type that a field has."""
REFUSALS = {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.FORBIDDEN}
"""403 where the spelling is that of an id of which it is not certain that it is the player's own."""


def list_types(schema: Schema) -> set[str]:
    """The types or formats that a parameter or field may have."""
    choices = schema.get("anyOf", [schema])
    return {choice.get(key, "") for choice in choices for key in ("type", "format")}


def list_spellings(parameter: Schema) -> Iterator[str]:
    types = list_types(parameter["schema"])
    if "integer" in types:
        yield from (spelling.format(TODAY) for spelling in NUMBERS)
    if "uuid" in types:
        yield from (spelling.format(PLAYER) for spelling in UUIDS)


def list_urls(operation: Schema, path: str) -> Iterator[str]:
    """As good as can be, but for the spelling of one parameter."""
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        for spelling in list_spellings(parameter):
            if parameter["in"] == "query":
                yield f"{path.format_map(GOOD)}?{urlencode({name: spelling})}"
            elif spelling:  # an empty one makes another path
                yield path.format_map(GOOD | {name: quote(spelling, safe="")})


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_a_parameter_is_taken_in_its_usual_spelling_only(suite: Suite, service: str, method: str, path: str) -> None:
    document = json.loads(json.dumps(APPS[service].openapi()))
    operation = document["paths"][path][method.lower()]
    headers = fitting_headers(suite, service, method, path)
    body = make_body(operation, document, GOOD)
    with suite.app(service) as app, TestClient(app) as client:
        for url in list_urls(operation, path):
            response = client.request(method, url, headers=headers, json=body)
            assert response.status_code in REFUSALS, f"{url} gives {response.text}"
            assert_problem(response, response.status_code)


def list_bodies(operation: Schema, document: Schema) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """The field, what is wrong in it, and the whole body."""
    content = operation.get("requestBody", {}).get("content", {})
    good = make_body(operation, document, GOOD)
    if JSON not in content or good is None:
        return
    schema = content[JSON]["schema"]
    for name, field in resolve(schema["anyOf"][0] if "anyOf" in schema else schema, document)["properties"].items():
        types = list_types(field)
        wrong: list[Any] = [value for kind in types for value in SAMPLES.get(kind, ())]
        if "date-time" in types:
            wrong += [*TIMES, 1647286200, 1647286200.5, True, ["2022-03-14T19:30:00Z"]]
        assert wrong, f"{name} is of {types}, of which nothing wrong is known"
        for value in wrong:
            if value is not None or "null" not in types:
                yield name, value, good | {name: value}


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_a_field_takes_no_other_type_and_no_other_spelling(suite: Suite, service: str, method: str, path: str) -> None:
    document = json.loads(json.dumps(APPS[service].openapi()))
    headers = fitting_headers(suite, service, method, path)
    with suite.app(service) as app, TestClient(app) as client:
        for name, value, body in list_bodies(document["paths"][path][method.lower()], document):
            response = client.request(method, path.format_map(GOOD), headers=headers, json=body)
            where = f"{value!r} as {name} gives {response.status_code} {response.text}"
            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, where
            assert f"body.{name}" in assert_problem(response, 422)
