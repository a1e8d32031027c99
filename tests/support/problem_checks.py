"""What every error of every service looks like."""

import json
from http import HTTPStatus

import httpx


def assert_problem(response: httpx.Response, status: int) -> str:
    """The `detail` of an error, which is RFC 9457 problem details whose detail is a sentence."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content.decode())
    assert set(problem) - {"errors", "error"} == {"type", "title", "status", "detail", "request_id"}
    assert problem["type"] == "about:blank"
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["X-Request-Id"]
    detail = problem["detail"]
    assert isinstance(detail, str)
    assert detail.endswith(".")
    assert "\n" not in detail
    return detail
