"""Valid requests for every operation, which tests then modify."""

from typing import Any

from servicekit.auth.session_cookie import NAME
from servicekit.auth.tokens import Scope
from tests.support.all_services import PASSWORD, SESSION_TOKEN, SIGNED_IN, TODAY, Suite, name_of
from tests.support.apps import APPS
from tests.support.browser import SAME_ORIGIN
from tests.support.openapi_checks import find_example, resolve

PLAYER = SIGNED_IN
"""A player who has made two guesses today."""
VALID_VALUES: dict[str, Any] = {
    "user_id": str(PLAYER),
    "game_id": TODAY,
    "word": "crane",
    "username": name_of(PLAYER),
    "password": PASSWORD,
    "guess": "crane",
    "attempt": 3,
    "name": "swagger-ui.css",
}
"""Valid values, by the name of a parameter or field."""


SESSION_HEADERS = SAME_ORIGIN | {"Cookie": f"{NAME}={SESSION_TOKEN}", "Content-Type": "application/json"}
"""Of the player's browser."""


def make_body(operation: dict[str, Any], document: dict[str, Any], values: dict[str, Any]) -> dict[str, Any] | None:
    """A valid body with every field of the document; None if the operation has no body."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        fields = resolve(media["schema"], document)["properties"]
        known = find_example(media, document) | values
        return {name: known.get(name, part.get("default")) for name, part in fields.items()}
    return None


def authorized_headers(suite: Suite, service: str, method: str, path: str) -> dict[str, str]:
    security = APPS[service].openapi()["paths"][path][method.lower()]["security"]
    if not security:
        return dict(SAME_ORIGIN)
    if "SessionCookie" in security[0]:
        return SESSION_HEADERS
    scopes: list[str] = security[0]["OAuth2PasswordBearer"]
    scope = Scope(scopes[0]) if scopes else Scope.ADMIN  # no scope: the player or an administrator
    return suite.headers(scope, PLAYER if scope is Scope.PLAYER else None)
