"""Whatever is asked of a service, in whatever form: it answers, and as its own OpenAPI document says."""

from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from schemathesis import Case, GenerationMode
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi import checks

from tests.support.all_services import Suite
from tests.support.fuzz_cases import OPERATIONS, callers_of, cases_of, fuzzing, headers_of, open_document

FEW, MANY = 50, 500
each_operation = pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)


@pytest.mark.parametrize("cases", [FEW, pytest.param(MANY, marks=pytest.mark.faults)])
@each_operation
def test_every_answer_is_as_the_document_says(suite: Suite, service: str, method: str, path: str, cases: int) -> None:
    statuses = set()
    with open_document(suite, service) as document:
        operation = document[path][method]

        @fuzzing(cases)
        @given(case=cases_of(operation), caller=callers_of(operation))
        def ask(case: Case[Any], caller: str) -> None:
            headers = headers_of(caller, case, suite)
            statuses.add(case.call_and_validate(headers=headers).status_code)

        ask()
    if cases == MANY:  # by chance, none of few may be
        assert min(statuses) < HTTPStatus.BAD_REQUEST, "no request was good enough to be answered"


@each_operation
def test_so_is_every_answer_to_what_is_just_inside_or_just_outside_of_a_limit(
    suite: Suite, service: str, method: str, path: str
) -> None:
    """And to other methods, to parameters that come twice or not at all, and to other media types."""
    # GET /token is 422, not 405: it asks for the player whose id is `token`, and that is no id.
    excluded = [] if "{" in path else [checks.unsupported_method]
    with open_document(suite, service) as document:
        operation = document[path][method]
        for case in document.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=GenerationConfig()
        ):
            case.headers.pop("Authorization", None)
            for caller in ("admin", "player", "nobody"):
                case.call_and_validate(headers=headers_of(caller, case, suite), excluded_checks=excluded)
