"""Which methods a path takes: HEAD wherever it takes GET.

Starlette keeps searching when a path matches and its method does not, so `DELETE /openapi.json` would reach a service's
own `DELETE /{word}`, and `GET /token` its `GET /{user_id}`. A path without parameters answers 405 instead
(strict_requests.py).
"""

from collections.abc import Iterable, Mapping

from starlette.routing import BaseRoute, Route


def list_methods(routes: Iterable[BaseRoute]) -> Mapping[str, list[str]]:
    """The methods of each path, in alphabetical order, those of all its routes together."""
    methods: dict[str, set[str]] = {}
    for route in routes:
        if isinstance(route, Route):
            methods.setdefault(route.path, set()).update(route.methods or ())
    return {path: sorted(names | {"HEAD"} if "GET" in names else names) for path, names in methods.items()}
