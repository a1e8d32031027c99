"""Requests that schemathesis generates from a service's OpenAPI document, with known values and callers.

Generated values alone are well formed but refer to nothing: no such player, game or word, no valid token. So some are
replaced by values of the sample data, and each request has a caller.
"""

import random
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import Case, Config, GenerationMode, openapi
from schemathesis.core.parameters import ParameterLocation
from schemathesis.python import asgi
from schemathesis.schemas import APIOperation, BaseSchema

from servicekit.auth.session_cookie import NAME
from servicekit.auth.tokens import Scope
from tests.support.all_services import (
    LEGACY_NAME,
    LEGACY_PLAYER,
    PASSWORD,
    PLAYERS,
    SESSION_TOKEN,
    TODAY,
    UNKNOWN_PLAYER,
    WORDS,
    Suite,
    name_of,
)
from tests.support.apps import APPS
from tests.support.browser import SAME_ORIGIN
from tests.support.openapi_checks import list_operations

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

OPERATIONS = [
    (service, method, path) for service, app in APPS.items() for method, path, _ in list_operations(app.openapi())
]

KNOWN: dict[str, tuple[object, ...]] = {
    "user_id": (*PLAYERS, LEGACY_PLAYER, PLAYERS[-1], LEGACY_PLAYER),  # players who have not started are repeated
    "around": PLAYERS,
    "after": (*PLAYERS, *WORDS),
    "username": (*map(name_of, PLAYERS), LEGACY_NAME),
    "password": (PASSWORD,),
    NAME: (SESSION_TOKEN,),
    "old_password": (PASSWORD,),
    "grant_type": ("password",),
    "game_id": (TODAY, TODAY - 1, TODAY, TODAY + 1, TODAY),
    "attempt": (1, 1, 1, *range(2, 7)),
    "guess": WORDS,
    "answer": WORDS,
    "word": WORDS,
    "prefix": ("", "z", "CR"),
    "words": (list(WORDS),),
}
"""Values of the sample data, by the name of a parameter or field."""
LOCATIONS = (ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.BODY, ParameterLocation.COOKIE)
UNAUTHENTICATED_CALLERS = ("anonymous", "broken", "expired", "no scheme")
CALLERS = (*Scope, "unknown player", "browser", *UNAUTHENTICATED_CALLERS)

CONFIG = Config.from_dict(
    {
        "base-url": "http://testserver",  # the app itself, without the prefix that the documents name as their server
        "checks": {
            # A valid request may still be refused: a word that is not in the dictionary, `around` together with
            # `after`, or an attempt of 1.0, which JSON Schema counts as an integer.
            "positive_data_acceptance": {"enabled": False},
            # It assumes that a result stored for one player is available for all.
            "ensure_resource_availability": {"enabled": False},
            # An account that has ended keeps its id, under a placeholder name.
            "use_after_free": {"enabled": False},
        },
    }
)
"""All other applicable checks run: no 5xx, no undocumented status or body, no invalid input accepted, no guarded
endpoint open without a token."""


@contextmanager
def open_document(suite: Suite, service: str) -> Iterator[BaseSchema]:
    """The OpenAPI schema of a service; its cases are sent to the app itself."""
    with suite.app(service) as app:
        try:
            yield openapi.from_asgi("/openapi.json", app, config=CONFIG)
        finally:
            asgi.shutdown_lifespans()  # schemathesis would keep them until the end of the test run


def cases_of(operation: Operation) -> st.SearchStrategy[Case[Any]]:
    """Valid and invalid requests in equal parts."""
    modes = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    return st.builds(put_known_values, known_values(), st.one_of(*modes))


def known_values() -> st.SearchStrategy[dict[str, object]]:
    """Known values for some or all names: a guess counts only with matching player, game and attempt.

    Drawn as one integer, because one draw per name takes longer than the request.
    """
    return st.integers(0, 2**32 - 1).map(choose_values)


def choose_values(number: int) -> dict[str, object]:
    rng = random.Random(number)  # noqa: S311 - no secret
    share = rng.choice((0.5, 1))
    return {name: rng.choice(known) for name, known in KNOWN.items() if rng.random() < share}


def put_known_values(
    known: Mapping[str, object], case: Case[Any], *, locations: Collection[ParameterLocation] = LOCATIONS
) -> Case[Any]:
    """The case with known values in place of generated ones, except in parts that are invalid on purpose."""
    case.headers.pop("Authorization", None)  # the caller's headers are added later
    assert case.meta is not None
    for location in locations:
        place: Any = case.get_container(location)
        if isinstance(place, dict) and not case.meta.is_negative_at(location):
            for name in place.keys() & known.keys():
                value = known[name]
                place[name] = value if location is ParameterLocation.BODY else str(value)
    return case


def accepted_scopes(operation: Operation) -> list[str]:
    """The scopes that an operation accepts, according to its document, or `browser`; none if it needs no token."""
    security = operation.definition.raw.get("security", [])
    if any("SessionCookie" in alternative for alternative in security):
        return ["browser"]
    required = {scope for kind in security for scopes in kind.values() for scope in scopes}
    return sorted(required) if required or not security else [Scope.ADMIN, Scope.PLAYER]


def callers_of(operation: Operation) -> st.SearchStrategy[str]:
    """Authorized callers and any callers in equal parts."""
    return st.sampled_from(accepted_scopes(operation) or UNAUTHENTICATED_CALLERS) | st.sampled_from(CALLERS)


def headers_of(caller: str, case: Case[Any], suite: Suite) -> dict[str, str]:
    """The headers of a caller; a player is the one named in the path. All call from a page of the same origin."""
    return SAME_ORIGIN | find_credentials(caller, case, suite)


def find_credentials(caller: str, case: Case[Any], suite: Suite) -> dict[str, str]:
    if caller in set(Scope):
        return suite.headers(Scope(caller), find_player(case) if caller == Scope.PLAYER else None)
    if caller == "browser":
        return {"Content-Type": "application/json"}  # its cookie is among the known values
    if caller == "unknown player":
        return suite.headers(Scope.PLAYER, UNKNOWN_PLAYER)
    token = suite.keys.token(Scope.ADMIN, lifetime=timedelta(hours=-1))
    return {
        "anonymous": {},
        "broken": {"Authorization": f"Bearer {token[:-9]}"},
        "expired": {"Authorization": f"Bearer {token}"},
        "no scheme": {"Authorization": token},
    }[caller]


def find_player(case: Case[Any]) -> UUID:
    try:
        return UUID(case.path_parameters["user_id"])
    except (KeyError, ValueError, AttributeError, TypeError):
        return PLAYERS[0]


def fuzzing(cases: int) -> settings:
    """Deterministic settings: the same cases in every run, so that failures are reproducible."""
    return settings(
        max_examples=cases,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
