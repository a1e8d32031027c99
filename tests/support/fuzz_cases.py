"""Requests that schemathesis makes from a service's document, with what makes them reach something.

What it makes by itself is well formed and means nothing: no such player, no such game, no such word, no right. So some
of its values give way to known ones, and each request comes from somebody.
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

from servicekit.auth.tokens import Scope
from tests.support.all_services import OLD_NAME, OLD_PLAYER, PASSWORD, PLAYERS, STRANGER, TODAY, WORDS, Suite, name_of
from tests.support.openapi_checks import list_operations
from tests.test_openapi import APPS

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

OPERATIONS = [
    (service, method, path) for service, app in APPS.items() for method, path, _ in list_operations(app.openapi())
]

KNOWN: dict[str, tuple[object, ...]] = {
    "user_id": (*PLAYERS, OLD_PLAYER, PLAYERS[-1], OLD_PLAYER),  # more of those who have not begun
    "around": PLAYERS,
    "after": (*PLAYERS, *WORDS),
    "username": (*map(name_of, PLAYERS), OLD_NAME),
    "password": (PASSWORD,),
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
"""By the name of a parameter, wherever it is, or of a field."""
LOCATIONS = (ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.BODY)
NO_CALLERS = ("nobody", "broken", "expired", "no scheme")
CALLERS = (*Scope, "stranger", *NO_CALLERS)

CONFIG = Config.from_dict(
    {
        "checks": {
            # What is well formed may still be refused: a word that the dictionary lacks, `around` together with
            # `after`, and 1.0, which is an integer to JSON Schema, as an attempt.
            "positive_data_acceptance": {"enabled": False},
            # It takes a result that was posted for one player as posted for all.
            "ensure_resource_availability": {"enabled": False},
        }
    }
)
"""All other checks that apply run: no 5xx, nothing that the document does not list or describe, nothing accepted that
it forbids, nothing given without a token that it says is needed, nothing found after it was deleted."""


@contextmanager
def open_document(suite: Suite, service: str) -> Iterator[BaseSchema]:
    """The document of a service, whose cases go to the service itself."""
    with suite.app(service) as app:
        try:
            yield openapi.from_asgi("/openapi.json", app, config=CONFIG)
        finally:
            asgi.shutdown_lifespans()  # else they last as long as all tests do


def cases_of(operation: Operation) -> st.SearchStrategy[Case[Any]]:
    """As the document wants them and, as many, as it does not."""
    modes = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    return st.builds(put_known_values, known_values(), st.one_of(*modes))


def known_values() -> st.SearchStrategy[dict[str, object]]:
    """For some of the names a value, or for all: without the right player, game and attempt no guess counts.

    Drawn as one number, since a draw a name takes longer than the request.
    """
    return st.integers(0, 2**32 - 1).map(choose_values)


def choose_values(number: int) -> dict[str, object]:
    rng = random.Random(number)  # noqa: S311 - no secret
    share = rng.choice((0.5, 1))
    return {name: rng.choice(known) for name, known in KNOWN.items() if rng.random() < share}


def put_known_values(
    known: Mapping[str, object], case: Case[Any], *, data_paths: Collection[ParameterLocation] = LOCATIONS
) -> Case[Any]:
    """The case with these values wherever it has one of the same name, except in a part that is wrong on purpose."""
    case.headers.pop("Authorization", None)  # whoever asks brings their own
    assert case.meta is not None
    for location in data_paths:
        place: Any = case.get_container(location)
        if isinstance(place, dict) and not case.meta.is_negative_at(location):
            for name in place.keys() & known.keys():
                value = known[name]
                place[name] = value if location is ParameterLocation.BODY else str(value)
    return case


def fitting_scopes(operation: Operation) -> list[str]:
    """Which open an operation, as its document says; none where no token is needed."""
    security = operation.definition.raw.get("security", [])
    required = {scope for kind in security for scopes in kind.values() for scope in scopes}
    return sorted(required) if required or not security else [Scope.ADMIN, Scope.PLAYER]


def callers_of(operation: Operation) -> st.SearchStrategy[str]:
    """Who has the right and, as often, anybody."""
    return st.sampled_from(fitting_scopes(operation) or NO_CALLERS) | st.sampled_from(CALLERS)


def headers_of(caller: str, case: Case[Any], suite: Suite) -> dict[str, str]:
    """What a caller sends; the player is the one whom the path names."""
    if caller in set(Scope):
        return suite.headers(Scope(caller), find_player(case) if caller == Scope.PLAYER else None)
    if caller == "stranger":
        return suite.headers(Scope.PLAYER, STRANGER)
    token = suite.keys.token(Scope.ADMIN, lifetime=timedelta(hours=-1))
    return {
        "nobody": {},
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
    """The same cases in every run, so that who finds a bug and who mends it see the same."""
    return settings(
        max_examples=cases,
        derandomize=True,
        deadline=None,  # two cores and five engineers
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
