"""Numbers, ids and times are accepted in their standard format only, although Python or pydantic would parse more.

The parameters and fields are read from the OpenAPI documents, so new ones are tested automatically.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from starlette.testclient import TestClient

from tests.support.all_services import TODAY, Suite
from tests.support.apps import APPS
from tests.support.fuzz_cases import OPERATIONS
from tests.support.openapi_checks import JSON, Schema, resolve
from tests.support.problem_checks import assert_problem
from tests.support.valid_requests import PLAYER, VALID_VALUES, authorized_headers, make_body

NUMBERS = (
    "{}.0", "{}.", "+{}", "-{}", " {}", "{} ", "{}_0", "{},0", "0{}", "{}e0", "0x{}", "{}L", "", "true", "null", "[{}]",
    "\N{ARABIC-INDIC DIGIT ONE}{}", "\N{FULLWIDTH DIGIT ONE}{}", "{}\N{SUPERSCRIPT TWO}", "{}\N{NO-BREAK SPACE}",
)  # fmt: skip
"""Other formats of a number."""
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
"""Invalid values, by the type of the field."""
REFUSALS = {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.FORBIDDEN}
"""403 where the player's own id is malformed: authorization comes before validation."""


def list_types(schema: Schema) -> set[str]:
    """The types and formats that a parameter or field allows."""
    choices = schema.get("anyOf", [schema])
    return {choice.get(key, "") for choice in choices for key in ("type", "format")}


def list_spellings(parameter: Schema) -> Iterator[str]:
    types = list_types(parameter["schema"])
    if "integer" in types:
        yield from (spelling.format(TODAY) for spelling in NUMBERS)
    if "uuid" in types:
        yield from (spelling.format(PLAYER) for spelling in UUIDS)


def list_urls(operation: Schema, path: str) -> Iterator[str]:
    """Valid URLs except for the format of one parameter."""
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        for spelling in list_spellings(parameter):
            if parameter["in"] == "query":
                yield f"{path.format_map(VALID_VALUES)}?{urlencode({name: spelling})}"
            elif spelling:  # an empty one would be a different path
                yield path.format_map(VALID_VALUES | {name: quote(spelling, safe="")})


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_parameter_in_another_format_is_refused(suite: Suite, service: str, method: str, path: str) -> None:
    document = json.loads(json.dumps(APPS[service].openapi()))
    operation = document["paths"][path][method.lower()]
    headers = authorized_headers(suite, service, method, path)
    body = make_body(operation, document, VALID_VALUES)
    with suite.app(service) as app, TestClient(app) as client:
        for url in list_urls(operation, path):
            response = client.request(method, url, headers=headers, json=body)
            assert response.status_code in REFUSALS, f"{url} gives {response.text}"
            assert_problem(response, response.status_code)


def list_bodies(operation: Schema, document: Schema) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yields a field, an invalid value for it, and the body with that value."""
    content = operation.get("requestBody", {}).get("content", {})
    valid = make_body(operation, document, VALID_VALUES)
    if JSON not in content or valid is None:
        return
    schema = content[JSON]["schema"]
    for name, field in resolve(schema["anyOf"][0] if "anyOf" in schema else schema, document)["properties"].items():
        types = list_types(field)
        wrong: list[Any] = [value for kind in types for value in SAMPLES.get(kind, ())]
        if "date-time" in types:
            wrong += [*TIMES, 1647286200, 1647286200.5, True, ["2022-03-14T19:30:00Z"]]
        assert wrong, f"{name} is of {types}, for which no invalid value is listed"
        for value in wrong:
            if value is not None or "null" not in types:
                yield name, value, valid | {name: value}


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_field_of_another_type_or_format_is_422(suite: Suite, service: str, method: str, path: str) -> None:
    document = json.loads(json.dumps(APPS[service].openapi()))
    headers = authorized_headers(suite, service, method, path)
    with suite.app(service) as app, TestClient(app) as client:
        for name, value, body in list_bodies(document["paths"][path][method.lower()], document):
            response = client.request(method, path.format_map(VALID_VALUES), headers=headers, json=body)
            where = f"{value!r} as {name} gives {response.status_code} {response.text}"
            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, where
            assert f"body.{name}" in assert_problem(response, 422)
