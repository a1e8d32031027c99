"""The format of error responses, the same for all services."""

import json
import re
from http import HTTPStatus

import httpx


def assert_problem(response: httpx.Response, status: int) -> str:
    """Asserts that a response is an RFC 9457 problem with a one-sentence `detail`, and returns the detail."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content.decode())
    assert set(problem) - {"errors", "error"} == {"type", "title", "status", "detail", "request_id"}
    assert re.fullmatch(r"about:blank|/api/[a-z]+/problems/[a-z-]+", problem["type"])
    assert ("errors" in problem) == (status == HTTPStatus.UNPROCESSABLE_ENTITY)
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["X-Request-Id"]
    detail = problem["detail"]
    assert isinstance(detail, str)
    assert detail.endswith(".")
    assert "\n" not in detail
    return detail
