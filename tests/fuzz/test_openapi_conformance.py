"""Generated requests, valid and invalid: every response conforms to the service's OpenAPI document."""

from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from schemathesis import Case, GenerationMode
from schemathesis.config import GenerationConfig

from tests.support.all_services import Suite
from tests.support.fuzz_cases import OPERATIONS, callers_of, cases_of, fuzzing, headers_of, open_document

FEW, MANY = 20, 500
each_operation = pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)


@pytest.mark.parametrize("cases", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
@each_operation
def test_responses_to_generated_requests_conform(
    suite: Suite, service: str, method: str, path: str, cases: int
) -> None:
    statuses = set()
    with open_document(suite, service) as document:
        operation = document[path][method]

        @fuzzing(cases)
        @given(case=cases_of(operation), caller=callers_of(operation))
        def send(case: Case[Any], caller: str) -> None:
            headers = headers_of(caller, case, suite)
            statuses.add(case.call_and_validate(headers=headers).status_code)

        send()
    if cases == MANY:  # a small number of requests may all fail by chance
        assert min(statuses) < HTTPStatus.BAD_REQUEST, "no request succeeded"


@each_operation
def test_responses_at_the_limits_of_parameters_conform(suite: Suite, service: str, method: str, path: str) -> None:
    """Values just inside and outside of limits, other methods and media types, duplicate and missing parameters."""
    with open_document(suite, service) as document:
        operation = document[path][method]
        for case in document.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=GenerationConfig()
        ):
            case.headers.pop("Authorization", None)
            for caller in ("admin", "player", "anonymous"):
                case.call_and_validate(headers=headers_of(caller, case, suite))
