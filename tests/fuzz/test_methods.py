"""Every method at every path of every service: those of its document, and those that the framework adds."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from tests.support.all_services import SERVICES, Suite
from tests.support.problem_checks import assert_problem
from tests.support.valid_requests import GOOD, fitting_headers
from tests.test_openapi import APPS

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW")
RESERVED = {
    "/docs",
    "/health",
    "/live",
    "/metrics",
    "/openapi.json",
    "/swagger/favicon-32x32.png",
    "/swagger/swagger-ui-bundle.js",
    "/swagger/swagger-ui.css",
}


def list_methods(service: str) -> dict[str, set[str]]:
    """The methods of each path of a service."""
    methods: dict[str, set[str]] = {}
    for route in APPS[service].routes:
        methods.setdefault(getattr(route, "path", ""), set()).update(getattr(route, "methods", None) or ())
    return methods


def list_headers(suite: Suite, service: str, method: str, path: str) -> Iterator[dict[str, str]]:
    """No token, and the one that the operation asks for."""
    yield {}
    if method.lower() in APPS[service].openapi()["paths"].get(path, {}):
        yield fitting_headers(suite, service, method, path)


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_at_every_path_gets_an_answer(suite: Suite, service: str) -> None:
    """An exception in the service fails the test."""
    paths = list_methods(service)
    assert paths.keys() > RESERVED
    with suite.app(service) as app, TestClient(app) as client:
        for path, allowed in paths.items():
            for method in METHODS:
                for headers in list_headers(suite, service, method, path):
                    response = client.request(method, path.format_map(GOOD), headers=headers)
                    where = f"{method} {path} gives {response.status_code} {response.text}"
                    assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, where
                    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                        assert response.headers["Allow"] == ", ".join(sorted(allowed)), where


@pytest.mark.parametrize("service", SERVICES)
def test_any_other_method_at_a_reserved_path_is_405(suite: Suite, service: str) -> None:
    """Even where the service has a route such as DELETE /{word}, and whatever the caller may do."""
    paths = list_methods(service)
    with suite.app(service) as app, TestClient(app) as client:
        for path in sorted(RESERVED):
            assert client.get(path).status_code == HTTPStatus.OK
            for method in set(METHODS) - paths[path] - {"HEAD"}:  # whose answer has no body
                response = client.request(method, path)
                allowed = ", ".join(sorted(paths[path]))
                assert assert_problem(response, 405) == f"{method} is not possible here; use {allowed}."
                assert response.headers["Allow"] == allowed
