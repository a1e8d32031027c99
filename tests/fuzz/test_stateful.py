"""Stateful testing: sequences of requests that use values from earlier responses.

schemathesis infers the links from the documents: a response field and a parameter with the same name. So a player
registers, is found and gets a new password; today's game is started and read; a result is stored and read.
"""

import random
from collections.abc import Mapping
from pathlib import Path
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
    accepted_scopes,
    fuzzing,
    headers_of,
    known_values,
    open_document,
    put_known_values,
)

FEW, MANY = 20, 40
MAX_STEPS = 10
"""Requests of one sequence."""
OUTSIDE_OF_SEQUENCES = "read_distribution"
"""An operation of stats. With it Hypothesis reports inconsistent data generation, although the same requests got the
same responses in 1,200 sequences; it is tested by itself in test_openapi_conformance.py."""
FIXED_REQUEST_ID = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}
"""Sent with all requests: error bodies contain the request id, and sequences must be deterministic."""
EXPECTED = {
    "users": {"POST /": 201, "GET /{user_id}": 200, "PUT /{user_id}/password": 204},
    "games": {"PUT /{game_id}/plays/{user_id}": 201, "GET /{game_id}/plays/{user_id}": 200},
    "stats": {"POST /users/{user_id}/games": 201, "GET /users/{user_id}/games/{game_id}": 200},
}
"""Operations and statuses that must occur at least once, to show that sequences reach their goal."""


def hook_known_values(document: BaseSchema) -> None:
    """Puts known values into the requests, except where values of an earlier response belong."""
    linked = document.operations_with_incoming_links()

    @document.hook
    def flatmap_case(_context: HookContext, case: Case[Any]) -> st.SearchStrategy[Case[Any]]:
        locations = (ParameterLocation.BODY,) if case.operation.label in linked else LOCATIONS

        def put(known: Mapping[str, object]) -> Case[Any]:
            return put_known_values(known, case, locations=locations)

        return known_values().map(put)


@pytest.mark.parametrize("sequences", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
@pytest.mark.parametrize("service", EXPECTED)
def test_responses_to_request_sequences_conform(
    suite: Suite, filled_databases: Path, service: str, sequences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    rng = random.Random()  # noqa: S311 - new players' ids, the same in each sequence
    monkeypatch.setattr("users.accounts.registration.uuid4", lambda: UUID(int=rng.getrandbits(128), version=4))
    with open_document(suite, service) as document:
        hook_known_values(document)

        class RequestSequence(document.exclude(operation_id=OUTSIDE_OF_SEQUENCES).as_state_machine()):  # type: ignore[misc]  # a class created at run time
            def setup(self) -> None:
                suite.restore(filled_databases)  # each sequence starts from the same data
                rng.seed(2026)

            def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
                caller = next(iter(accepted_scopes(case.operation)), "anonymous")
                return {"headers": headers_of(caller, case, suite) | FIXED_REQUEST_ID}

            def after_call(self, response: Response, case: Case[Any]) -> None:
                seen.add((case.operation.label, response.status_code))
                super().after_call(response, case)

        RequestSequence.run(settings=settings(fuzzing(sequences), stateful_step_count=MAX_STEPS))
    assert seen >= EXPECTED[service].items()
