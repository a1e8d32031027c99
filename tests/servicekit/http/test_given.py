"""What is the same for every request reaches a route of either kind, and is no part of the interface."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from servicekit.http.given import GivingRoute, given

Greeting = Annotated[str, given("greeting")]
Mark = Annotated[str, given("mark")]


async def shout(greeting: Greeting) -> str:
    return greeting.upper()


def create_app(route_class: type[APIRoute]) -> FastAPI:
    router = APIRouter(route_class=route_class)

    @router.get("/two/{name}")
    async def greet(name: str, greeting: Greeting, mark: Mark) -> str:
        return f"{greeting} {name}{mark}"

    @router.get("/request")
    async def greet_with_request(greeting: Greeting, asked: Request) -> str:
        return f"{greeting} {asked.url.path}"

    @router.get("/nested")
    async def greet_loudly(loud: Annotated[str, Depends(shout)], mark: Mark) -> str:
        return loud + mark

    app = FastAPI()
    app.state.greeting, app.state.mark = "hello", "!"
    app.router.routes.extend(router.routes)
    return app


@pytest.mark.parametrize("route_class", [APIRoute, GivingRoute])
def test_a_route_is_given_what_the_app_has_at_that_time(route_class: type[APIRoute]) -> None:
    app = create_app(route_class)
    client = TestClient(app)
    assert client.get("/two/you").json() == "hello you!"
    assert client.get("/request").json() == "hello /request"
    assert client.get("/nested").json() == "HELLO!"
    app.state.mark = "?"
    assert client.get("/two/you").json() == "hello you?"


@pytest.mark.parametrize("route_class", [APIRoute, GivingRoute])
def test_what_is_given_is_no_part_of_the_interface(route_class: type[APIRoute]) -> None:
    paths = create_app(route_class).openapi()["paths"]
    assert [each["name"] for each in paths["/two/{name}"]["get"]["parameters"]] == ["name"]
    assert "parameters" not in paths["/request"]["get"]
