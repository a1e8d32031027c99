"""One request after the other, each with what the answer to an earlier one has told: as clients do, only wilder.

What leads where, schemathesis reads from the documents: what a request gives out and another one asks for by the same
name. So a player registers, is found and gets another password; today's puzzle is begun and looked at; a result
is posted and read.
"""

import random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema

from tests.support.all_services import Suite
from tests.support.fuzz_cases import (
    LOCATIONS,
    fitting_scopes,
    fuzzing,
    headers_of,
    known_values,
    open_document,
    put_known_values,
)

FEW, MANY = 20, 40
LONGEST = 10
"""Requests of a journey."""
SAME_ID = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}
"""Of all requests: where a journey leads depends on what the answers say, and errors have the request's id."""
ENDS = {
    "users": {"POST /": 201, "GET /{user_id}": 200, "PUT /{user_id}/password": 204},
    "games": {"PUT /{game_id}/plays/{user_id}": 201, "GET /{game_id}/plays/{user_id}": 200},
    "stats": {"POST /users/{user_id}/games": 201, "GET /users/{user_id}/games/{game_id}": 200},
}
"""What must have been answered how at least once, or the journeys lead nowhere."""


def know_values(document: BaseSchema) -> None:
    """Puts known values into the requests, except where what an earlier answer told belongs."""
    linked = document.operations_with_incoming_links()

    @document.hook
    def flatmap_case(_context: HookContext, case: Case[Any]) -> st.SearchStrategy[Case[Any]]:
        data_paths = (ParameterLocation.BODY,) if case.operation.label in linked else LOCATIONS

        def put(known: Mapping[str, object]) -> Case[Any]:
            return put_known_values(known, case, data_paths=data_paths)

        return known_values().map(put)


@pytest.mark.parametrize("journeys", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
@pytest.mark.parametrize("service", ENDS)
def test_every_answer_on_a_journey_is_as_the_document_says(
    suite: Suite, service: str, journeys: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = set()
    chance = random.Random()  # noqa: S311 - new players' ids, the same ones on each journey
    monkeypatch.setattr("users.routes.uuid4", lambda: UUID(int=chance.getrandbits(128), version=4))
    with open_document(suite, service) as document:
        know_values(document)

        class Journey(document.as_state_machine()):  # type: ignore[misc]  # a class made at run time
            def setup(self) -> None:
                suite.restore()  # where a journey leads depends on what is stored
                chance.seed(2026)

            def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
                caller = next(iter(fitting_scopes(case.operation)), "nobody")
                return {"headers": headers_of(caller, case, suite) | SAME_ID}

            def after_call(self, response: Response, case: Case[Any]) -> None:
                answered.add((case.operation.label, response.status_code))
                super().after_call(response, case)

        Journey.run(settings=settings(fuzzing(journeys), stateful_step_count=LONGEST))
    assert answered >= ENDS[service].items()
