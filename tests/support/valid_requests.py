"""Requests that are as good as can be, for tests to spoil."""

from typing import Any

from servicekit.auth.tokens import Scope
from tests.support.all_services import PASSWORD, PLAYERS, TODAY, Suite, name_of
from tests.support.openapi_checks import find_example, resolve
from tests.test_openapi import APPS

PLAYER = PLAYERS[2]
"""Has guessed twice today."""
GOOD: dict[str, Any] = {
    "user_id": str(PLAYER),
    "game_id": TODAY,
    "word": "crane",
    "username": name_of(PLAYER),
    "password": PASSWORD,
    "guess": "crane",
    "attempt": 3,
}
"""By the name of a parameter or of a field."""


def make_body(operation: dict[str, Any], document: dict[str, Any], good: dict[str, Any]) -> dict[str, Any] | None:
    """With every field that the document has; None if there is no body."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        fields = resolve(media["schema"], document)["properties"]
        known = find_example(media, document) | good
        return {name: known.get(name, part.get("default")) for name, part in fields.items()}
    return None


def fitting_headers(suite: Suite, service: str, method: str, path: str) -> dict[str, str]:
    security = APPS[service].openapi()["paths"][path][method.lower()].get("security", [{}])
    scopes: list[str] | None = next(iter(security[0].values()), None)
    if scopes is None:
        return {}
    scope = Scope(scopes[0]) if scopes else Scope.ADMIN  # none: the players themselves, or an administrator
    return suite.headers(scope, PLAYER if scope is Scope.PLAYER else None)
