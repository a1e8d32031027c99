"""Query parameters that an operation does not take, or that are there twice."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Cookie, Depends, Header, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.testclient import TestClient

from servicekit.http.errors import MAX_FIELD_ERRORS
from servicekit.http.query_parameters import MAX_NAME_LENGTH, list_parameters
from tests.support.apps import APPS
from tests.support.ledger import Ledger
from tests.support.ledger_service import create_ledger_service
from tests.support.openapi_checks import list_operations
from tests.support.problem_checks import assert_problem


def test_unknown_parameter_is_422_with_those_that_are_known(stats_client: TestClient) -> None:
    response = stats_client.get("/leaders/wins?limt=5")
    sentence = "there is no parameter limt; this takes limit, around, after"
    assert assert_problem(response, 422) == f"query.limt: {sentence}."
    assert response.json()["errors"] == [{"field": "query.limt", "message": sentence}]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_unknown_parameter_is_422_whatever_the_method(client: TestClient, method: str) -> None:
    response = client.request(method, "/total?x" if method == "GET" else "/entries?x=1", json={"number": 1})
    assert assert_problem(response, 422) == "query.x: there is no parameter x; this takes none."


def test_head_with_an_unknown_parameter_is_422(client: TestClient) -> None:
    assert client.head("/total").status_code == 200
    assert client.head("/total?x=1").status_code == 422


def test_parameter_that_is_given_twice_is_422(stats_client: TestClient) -> None:
    assert stats_client.get("/leaders/wins?limit=1").status_code == 200
    response = stats_client.get("/leaders/wins?limit=1&limit=1")
    assert assert_problem(response, 422) == "query.limit: this is given more than once."


def test_every_wrong_parameter_is_named_once(stats_client: TestClient) -> None:
    response = stats_client.get("/leaders/wins?a=1&limit=1&a=2&b&limit=2")
    fields = [error["field"] for error in response.json()["errors"]]
    assert fields == ["query.a", "query.limit", "query.b"]


def test_hostile_names_are_cut_and_escaped(client: TestClient) -> None:
    response = client.get("/total?" + "&".join(f"{number}%0a\u2028{'x' * 500}=secret" for number in range(30)))
    assert_problem(response, 422)
    errors = response.json()["errors"]
    assert len(errors) == MAX_FIELD_ERRORS
    assert all(len(error["field"]) == len("query.") + MAX_NAME_LENGTH for error in errors)
    assert errors[0]["field"].startswith("query.0%0A%E2%80%A8xxx")
    assert "secret" not in response.text


@pytest.mark.parametrize("query", ["?", "?&", "?=", "?%ff", "?x=%00"])
def test_odd_queries_are_answered(client: TestClient, query: str) -> None:
    assert client.get(f"/total{query}").status_code == (200 if query in {"?", "?&"} else 422)


@pytest.mark.parametrize("query", ["=", "=1", "&=&="])
def test_parameter_without_a_name_is_422(client: TestClient, query: str) -> None:
    response = client.get(f"/total?{query}")
    assert assert_problem(response, 422) == "query: a parameter has no name; this takes none."


class Paging(BaseModel):
    limit: int = 10
    after: str = ""


async def get_filter(prefix: str = "", x_trace: Annotated[str, Header()] = "") -> str:
    return prefix + x_trace


def test_only_query_parameters_count_as_those() -> None:
    router = APIRouter()

    @router.get("/{key}")
    async def read(
        key: str,
        paging: Annotated[Paging, Query()],
        prefix: Annotated[str, Depends(get_filter)],
        first: Annotated[bool, Query(alias="is-first")] = False,
        agent: Annotated[str, Header()] = "",
        visit: Annotated[str, Cookie()] = "",
    ) -> str:
        return f"{key}{paging}{prefix}{first}{agent}{visit}"

    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert sorted(list_parameters(route)) == ["after", "is-first", "limit", "prefix"]


@pytest.mark.parametrize("path", ["/health", "/live", "/metrics", "/docs", "/openapi.json"])
def test_paths_without_parameters_of_their_own_ignore_queries(client: TestClient, path: str) -> None:
    assert client.get(f"{path}?x=1").status_code == 200


def test_other_refusals_come_before_the_query(client: TestClient) -> None:
    assert client.get("/nothing?x=1").status_code == 404
    assert client.delete("/total?x=1").status_code == 405
    assert client.delete("/errors/404?x=1").status_code == 405


def test_refusal_is_counted_under_its_route(ledger: Ledger) -> None:
    with TestClient(create_ledger_service(ledger), root_path="/api/ledger") as client:
        for method in ("GET", "HEAD"):
            client.request(method, "/errors/404?x=1")
            assert f'{{method="{method}",route="/errors/{{status}}",status="422"}} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize("name", APPS)
def test_openapi_lists_422_where_queries_are_checked(name: str) -> None:
    for method, path, operation in list_operations(APPS[name].openapi()):
        assert ("422" in operation["responses"]) == (operation["tags"] != ["health"]), f"{method} {path}"


@pytest.mark.parametrize("name", APPS)
def test_no_parameter_is_a_list(name: str) -> None:
    """A list would be a parameter that may be given more than once."""
    for method, path, operation in list_operations(APPS[name].openapi()):
        for parameter in operation.get("parameters", []):
            assert parameter["schema"]["type"] != "array", f"{parameter['name']} of {method} {path}"
