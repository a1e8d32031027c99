"""Every method on every path of every service, documented paths and those of the framework."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from starlette.testclient import TestClient

from servicekit.http.methods import list_methods
from tests.support.all_services import SERVICES, Suite
from tests.support.apps import APPS, FRAMEWORK_PATHS, METHODS
from tests.support.problem_checks import assert_problem
from tests.support.valid_requests import VALID_VALUES, authorized_headers


def list_authorizations(suite: Suite, service: str, method: str, path: str) -> Iterator[dict[str, str]]:
    """Headers without a token, and with one that the operation accepts."""
    yield {}
    if method.lower() in APPS[service].openapi()["paths"].get(path, {}):
        yield authorized_headers(suite, service, method, path)


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_on_every_path_is_answered_without_5xx(suite: Suite, service: str) -> None:
    """A server exception fails the test, too."""
    paths = list_methods(APPS[service].routes)
    assert paths.keys() > FRAMEWORK_PATHS
    with suite.app(service) as app, TestClient(app) as client:
        for path, allowed in paths.items():
            for method in METHODS:
                for headers in list_authorizations(suite, service, method, path):
                    response = client.request(method, path.format_map(VALID_VALUES), headers=headers)
                    where = f"{method} {path} gives {response.status_code} {response.text}"
                    assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, where
                    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                        assert response.headers["Allow"] == ", ".join(allowed), where


@pytest.mark.parametrize("service", SERVICES)
def test_unsupported_method_on_a_literal_path_is_405(suite: Suite, service: str) -> None:
    """Even if the service has a matching route such as DELETE /{word}, and without authorization."""
    paths = {path: methods for path, methods in list_methods(APPS[service].routes).items() if "{" not in path}
    assert paths.keys() >= FRAMEWORK_PATHS
    with suite.app(service) as app, TestClient(app) as client:
        for path in sorted(paths):
            for method in set(METHODS) - set(paths[path]):
                response = client.request(method, path)
                if method == "HEAD":
                    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
                    continue  # its response has no body
                allowed = ", ".join(paths[path])
                assert assert_problem(response, 405) == f"{method} is not possible here; use {allowed}."
                assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("service", SERVICES)
def test_head_is_answered_as_get_without_a_body(suite: Suite, service: str) -> None:
    paths = [path for path, methods in list_methods(APPS[service].routes).items() if "GET" in methods]
    with suite.app(service) as app, TestClient(app) as client:
        for path in paths:
            where = path.format_map(VALID_VALUES)
            for headers in list_authorizations(suite, service, "GET", path):
                get, head = client.get(where, headers=headers), client.head(where, headers=headers)
                assert head.content == b""
                varying = {"x-request-id", "server-timing"} | ({"content-length"} if path == "/metrics" else set())
                assert head.status_code == get.status_code
                assert head.headers.items() - get.headers.items() <= {
                    (name, value) for name, value in head.headers.items() if name in varying
                }
