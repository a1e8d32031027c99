"""Query parameters that an operation does not take, or that are there twice: no operation takes lists.

FastAPI ignores them, so `?limt=5` would get ten rows and no hint. It also takes the last of two values, where a proxy
may take the first. strict_requests.py answers 422 to both.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from urllib.parse import parse_qsl, quote

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from servicekit.http.errors import MAX_FIELD_ERRORS, FieldError

MAX_NAME_LENGTH = 50
"""Of a client's parameter, as an error shows it."""


def list_parameters(route: APIRoute) -> list[str]:
    """The names of its query parameters, its dependencies' too, in the order of the OpenAPI document."""
    queries = [each.query_params for each in list_dependants(route.dependant)]
    fields = get_flat_params(Dependant(query_params=list(chain.from_iterable(queries))))  # a model's fields one by one
    return list(dict.fromkeys(field.alias for field in fields))


def list_dependants(dependant: Dependant) -> list[Dependant]:
    """Itself, and those that it depends on."""
    return [dependant, *chain.from_iterable(map(list_dependants, dependant.dependencies))]


def find_errors(query: str, known: Collection[str]) -> list[FieldError]:
    """One for each name that is unknown or is there twice. Values are not shown: one may be a password."""
    counts = Counter(name for name, _ in parse_qsl(query, keep_blank_values=True))
    wrong = [name for name, count in counts.items() if name not in known or count > 1]
    return [describe_error(name, known) for name in wrong[:MAX_FIELD_ERRORS]]


def describe_error(name: str, known: Collection[str]) -> FieldError:
    shown = quote(name, safe="")[:MAX_NAME_LENGTH]
    if name in known:
        return FieldError(field=f"query.{shown}", message="this is given more than once")
    reason = f"there is no parameter {shown}" if name else "a parameter has no name"
    return FieldError(
        field=f"query.{shown}" if name else "query", message=f"{reason}; this takes {', '.join(known) or 'none'}"
    )


class QueryRules:
    """Which parameters each operation takes."""

    def __init__(self, routes: Sequence[BaseRoute], *, checked: Sequence[BaseRoute]) -> None:
        """`routes`: all of the app, in their order; `checked`: those whose parameters are checked."""
        self._routes = [
            (route, list_parameters(route) if route in checked and isinstance(route, APIRoute) else None)
            for route in routes
        ]

    def check(self, scope: Scope) -> list[FieldError]:
        """What is wrong with the query of a request; if anything is, also sets its route, for the metrics."""
        as_routed = {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        for route, known in self._routes:
            if route.matches(as_routed)[0] is Match.FULL:
                errors = [] if known is None else find_errors(scope["query_string"].decode("latin-1"), known)
                if errors:
                    scope["route"] = route
                return errors
        return []
