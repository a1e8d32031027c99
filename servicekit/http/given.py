"""What a route is given that is the same for every request: a database, the clock, a client of another service.

    UsersDatabase = Annotated[Database, given("users")]

It is taken from the app's `state`, where `create_app` has put it. Any FastAPI route can be given it, as a dependency;
a GivingRoute takes it itself, since FastAPI's way with dependencies costs 10 us for each.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, cast

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends as DependsParameter
from fastapi.routing import APIRoute
from starlette.responses import Response

Endpoint = Callable[..., Awaitable[Any]]

UNASKED = "__request"
"""No endpoint's own name for an argument."""


class Given:
    def __init__(self, name: str) -> None:
        self._name = name

    def take(self, request: Request) -> Any:  # noqa: ANN401 - what it is says the annotation that this stands in
        return getattr(request.app.state, self._name)

    async def __call__(self, request: Request) -> Any:  # noqa: ANN401 - as above
        return self.take(request)


def given(name: str) -> DependsParameter:
    """For an annotation: the attribute of this name of the app's `state`."""
    return cast(DependsParameter, Depends(Given(name)))


class GivingRoute(APIRoute):
    """A route that leaves less to FastAPI than it documents."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        documented = self.dependant
        self.dependant = self.leave_to_fastapi(documented)
        try:
            return super().get_route_handler()
        finally:
            self.dependant = documented

    def leave_to_fastapi(self, documented: Dependant) -> Dependant:
        """What is to be solved for each request; all that is documented stays in OpenAPI."""
        givens = {str(each.name): each.call for each in documented.dependencies if isinstance(each.call, Given)}
        if not givens:
            return documented
        request_name = documented.request_param_name
        return replace(
            documented,
            dependencies=[each for each in documented.dependencies if not isinstance(each.call, Given)],
            call=hand_over(givens, cast(Endpoint, documented.call), request_name),
            request_param_name=request_name or UNASKED,
        )


def hand_over(givens: Mapping[str, Given], endpoint: Endpoint, request_name: str | None) -> Endpoint:
    """The endpoint without the arguments that are given. It is called with the request, under the endpoint's own name
    for that, or as UNASKED."""

    @wraps(endpoint)
    async def take_and_call(**arguments: Any) -> Any:  # noqa: ANN401 - the endpoint's own
        request = arguments[request_name] if request_name else arguments.pop(UNASKED)
        for name, each in givens.items():
            arguments[name] = each.take(request)
        return await endpoint(**arguments)

    return take_and_call
