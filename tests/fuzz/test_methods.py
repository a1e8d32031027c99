"""Every method on every path of every service, documented paths and those of the framework."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from tests.support.all_services import SERVICES, Suite
from tests.support.problem_checks import assert_problem
from tests.support.valid_requests import VALID_VALUES, authorized_headers
from tests.test_openapi import APPS

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW")
FRAMEWORK_PATHS = {
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


def list_authorizations(suite: Suite, service: str, method: str, path: str) -> Iterator[dict[str, str]]:
    """Headers without a token, and with one that the operation accepts."""
    yield {}
    if method.lower() in APPS[service].openapi()["paths"].get(path, {}):
        yield authorized_headers(suite, service, method, path)


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_on_every_path_is_answered_without_5xx(suite: Suite, service: str) -> None:
    """A server exception fails the test, too."""
    paths = list_methods(service)
    assert paths.keys() > FRAMEWORK_PATHS
    with suite.app(service) as app, TestClient(app) as client:
        for path, allowed in paths.items():
            for method in METHODS:
                for headers in list_authorizations(suite, service, method, path):
                    response = client.request(method, path.format_map(VALID_VALUES), headers=headers)
                    where = f"{method} {path} gives {response.status_code} {response.text}"
                    assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, where
                    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                        assert response.headers["Allow"] == ", ".join(sorted(allowed)), where


@pytest.mark.parametrize("service", SERVICES)
def test_unsupported_method_on_a_framework_path_is_405(suite: Suite, service: str) -> None:
    """Even if the service has a matching route such as DELETE /{word}, and without authorization."""
    paths = list_methods(service)
    with suite.app(service) as app, TestClient(app) as client:
        for path in sorted(FRAMEWORK_PATHS):
            assert client.get(path).status_code == HTTPStatus.OK
            for method in set(METHODS) - paths[path] - {"HEAD"}:  # HEAD responses have no body
                response = client.request(method, path)
                allowed = ", ".join(sorted(paths[path]))
                assert assert_problem(response, 405) == f"{method} is not possible here; use {allowed}."
                assert response.headers["Allow"] == allowed
