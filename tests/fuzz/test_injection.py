"""SQL injection: SQL in every field of every service has no effect.

The fields are read from the OpenAPI documents, so new ones are tested automatically; one that accepts any text must be
listed in FREE_TEXT_FIELDS.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
import pytest
from starlette.testclient import TestClient

from servicekit.auth.session_cookie import NAME
from tests.support.all_services import ANSWERS, TODAY, Suite
from tests.support.apps import APPS
from tests.support.fuzz_cases import OPERATIONS
from tests.support.openapi_checks import FORM
from tests.support.problem_checks import assert_problem
from tests.support.scripts import dump
from tests.support.valid_requests import VALID_VALUES, authorized_headers, make_body

PAYLOADS = (
    "'; DROP TABLE users; --",
    "x'); DELETE FROM games; --",
    "\\'; DROP TABLE plays; --",
    "crane\0'; DROP TABLE words; --",
    "' OR '1'='1",
    '" OR ""="',
    "%27%20OR%201=1%20--",
    "1 OR 1=1",
    "' UNION SELECT hash, hash FROM passwords --",
    "' UNION SELECT answer FROM answers --",
    "' || (SELECT hash FROM passwords LIMIT 1) || '",
    "0); ATTACH DATABASE '/tmp/stolen.db' AS stolen; --",
    "crane' AND (SELECT answer FROM answers WHERE game_id = 1983) LIKE 'a%",
    "%",
    "_____",
    "[a-z]*",
    ":user_id",
    "?1",
)
FREE_TEXT_FIELDS = {
    ("users", "GET", "/session", "Cookie"),  # who has none of ours is not signed in
    ("users", "DELETE", "/session", "Cookie"),
    ("users", "GET", "/", "username"),
    ("users", "DELETE", "/{user_id}", "password"),  # optional for an administrator
    ("users", "POST", "/", "username"),  # `_____` is a valid name
    ("users", "POST", "/", "password"),
    ("users", "PUT", "/{user_id}/password", "password"),
    ("users", "PUT", "/{user_id}/password", "old_password"),  # optional for an administrator
}
Tables: TypeAlias = Counter[str]
ADDED: dict[tuple[str, str, str], Callable[[Counter[int]], Tables]] = {
    ("users", "POST", "/"): lambda statuses: Counter(
        users=statuses[201], passwords=statuses[201], known_addresses=statuses[201]
    ),
    ("users", "POST", "/token"): lambda statuses: Counter(login_attempts=statuses[401]),
    ("users", "POST", "/session"): lambda statuses: Counter(login_attempts=statuses[401]),
    ("users", "PUT", "/{user_id}/password"): lambda statuses: Counter(passwords=min(1, statuses[204])),
    ("users", "DELETE", "/{user_id}"): lambda _: Counter(users=1, retired_names=1),
}
"""Expected new rows by table, computed from the statuses of all responses; other operations add none."""
REMOVED = {
    ("users", "PUT", "/{user_id}/password"): Counter(passwords=1, sessions=1),
    ("users", "DELETE", "/{user_id}"): Counter(users=1, passwords=1, sessions=1),
}
"""The row of the previous password, and the session that it began; what goes with an account."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A valid request with a payload in one field."""

    field: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    json: dict[str, Any] | None
    form: dict[str, Any] | None

    def send(self, client: TestClient, method: str) -> httpx.Response:
        response: httpx.Response = client.request(
            method, self.path, params=self.query, headers=self.headers, json=self.json, data=self.form
        )
        return response


def list_attempts(service: str, method: str, path: str, headers: dict[str, str]) -> Iterator[Attempt]:
    document = json.loads(json.dumps(APPS[service].openapi()))
    operation = document["paths"][path][method.lower()]
    is_form = FORM in operation.get("requestBody", {}).get("content", {})
    for number, payload in enumerate(PAYLOADS):
        values = VALID_VALUES | {"username": f"new-{number}"} if (service, path) == ("users", "/") else VALID_VALUES
        body = make_body(operation, document, values)
        attempt = Attempt(
            "", path.format_map(values), headers, {}, None if is_form else body, body if is_form else None
        )
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            if parameter["in"] == "path":
                yield replace(attempt, field=name, path=path.format_map(values | {name: quote(payload, safe="")}))
            else:
                yield replace(attempt, field=name, query={name: payload})
        for name, value in (body or {}).items():
            changed = {**(body or {}), name: [payload] if isinstance(value, list) else payload}
            if is_form:
                yield replace(attempt, field=name, form=changed)
            else:
                yield replace(attempt, field=name, json=changed)
        if "SessionCookie" in json.dumps(operation["security"]):
            yield replace(attempt, field="Cookie", headers=headers | {"Cookie": f"{NAME}={quote(payload, safe='')}"})
        elif operation["security"]:
            yield replace(attempt, field="Authorization", headers={"Authorization": f"Bearer {payload}"})


def count_lines(suite: Suite) -> Counter[tuple[str, str]]:
    """The lines of every database's dump, schema and rows, with their file names."""
    return Counter((path.name, line) for path, lines in dump(suite.data_paths).items() for line in lines)


def count_tables(lines: Counter[tuple[str, str]]) -> Tables:
    """Rows counted by table; schema lines are kept as they are."""
    return Counter(line.removeprefix("INSERT INTO ").partition(" VALUES")[0].strip('"') for _, line in lines.elements())


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_sql_in_any_field_is_treated_as_text(suite: Suite, service: str, method: str, path: str) -> None:
    before = count_lines(suite)
    statuses: Counter[int] = Counter()
    with suite.app(service) as app, TestClient(app) as client:
        for attempt in list_attempts(service, method, path, authorized_headers(suite, service, method, path)):
            response = attempt.send(client, method)
            statuses[response.status_code] += 1
            where = f"{attempt} gives {response.status_code} {response.text}"
            if response.status_code < HTTPStatus.BAD_REQUEST:
                assert (service, method, path, attempt.field) in FREE_TEXT_FIELDS, where
                assert method != "GET" or response.text in {'{"users":[]}', "null"}, where
            else:
                assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, where
                assert_problem(response, response.status_code)
            assert "argon2" not in response.text, where
            assert ANSWERS[TODAY] not in response.text, where
    after = count_lines(suite)
    key = service, method, path
    assert count_tables(after - before) == (ADDED[key](statuses) if key in ADDED else Counter())
    assert count_tables(before - after) == REMOVED.get(key, Counter())
