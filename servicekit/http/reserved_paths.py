"""The paths that every service has: its OpenAPI document, Swagger's page and files, /health, /live and /metrics.

Starlette keeps searching when a path matches and its method does not, so `DELETE /openapi.json` would reach a service's
own `DELETE /{word}`. A reserved path answers any other method with 405 instead.
"""

from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope


class ReservedAPIRoute(APIRoute):
    """Takes every request to its path; Starlette's own `handle` answers 405 to the methods that it does not have."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is Match.NONE:
            return match, child_scope
        return Match.FULL, {**child_scope, "route": self}
