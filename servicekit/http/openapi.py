"""Completes the OpenAPI document that FastAPI makes: what is true of every operation of every service."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute

from servicekit.auth.dependencies import PASSWORD_FLOW
from servicekit.http.errors import problem_schemas, problems
from servicekit.http.health import HEALTH_TAG
from servicekit.http.proxy_refusals import add_proxy_refusals
from servicekit.http.response_headers import ON_EVERY_RESPONSE, describe_headers
from servicekit.http.strict_requests import METHODS_WITH_BODY
from servicekit.problems import BadRequest, Invalid, Problem, UnsupportedContentEncoding, UnsupportedMediaType


def complete_document(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(problem_schemas())
    for schema in schemas.values():
        drop_titles(schema.get("properties", {}).values())
        restore_nulls(schema)
    for operations in document["paths"].values():
        for method, operation in operations.items():
            drop_titles(parameter["schema"] for parameter in operation.get("parameters", []))
            complete_responses(method, operation)
            complete_security(operation)
    if "securitySchemes" in components:
        components["securitySchemes"] = put_cookies_last(components["securitySchemes"])


def drop_titles(schemas: Iterable[dict[str, Any]]) -> None:
    """Those of parameters and fields, which Pydantic makes of their names: `Currentstreak`."""
    for schema in schemas:
        schema.pop("title", None)


def restore_nulls(schema: dict[str, Any]) -> None:
    """FastAPI leaves them out of examples, also in fields that are required."""
    if "example" in schema:
        schema["example"] = dict.fromkeys(schema.get("required", ())) | schema["example"]


def complete_responses(method: str, operation: dict[str, Any]) -> None:
    """Adds refusals that come before the endpoint runs, the headers of every response, and what Traefik refuses."""
    is_health = HEALTH_TAG in operation.get("tags", [])
    kinds = list_refusals(
        method,
        has_path_parameters=any(parameter["in"] == "path" for parameter in operation.get("parameters", [])),
        has_body="requestBody" in operation,
        is_health=is_health,
    )
    responses = {str(status): response for status, response in problems(*kinds).items()} | operation["responses"]
    headers = describe_headers(*ON_EVERY_RESPONSE, *(() if is_health else ("Server-Timing",)))
    for response in responses.values():
        response["headers"] = response.get("headers", {}) | headers
    add_proxy_refusals(responses, has_body="requestBody" in operation)
    operation["responses"] = dict(sorted(responses.items()))


def complete_security(operation: dict[str, Any]) -> None:
    """Says of a public operation that it needs nothing; leaves scopes to OAuth2, the one scheme that has them."""
    operation["security"] = [
        {scheme: scopes if scheme == PASSWORD_FLOW.scheme_name else [] for scheme, scopes in alternative.items()}
        for alternative in operation.get("security", [])
    ]


def put_cookies_last(schemes: dict[str, Any]) -> dict[str, Any]:
    """Swagger's "Authorize" shows them in this order, and no player types in the cookie of a browser."""
    return dict(sorted(schemes.items(), key=lambda item: item[1]["type"] == "apiKey"))


def list_refusals(method: str, *, has_path_parameters: bool, has_body: bool, is_health: bool) -> list[type[Problem]]:
    """Problems that StrictRequests, QueryParameters and FastAPI may answer with before the endpoint runs."""
    refusals: list[type[Problem]] = [] if is_health else [Invalid]
    if has_path_parameters:
        refusals.append(BadRequest)
    if method.upper() in METHODS_WITH_BODY:
        refusals.append(UnsupportedContentEncoding)
    if has_body:
        refusals.append(UnsupportedMediaType)
    return refusals


def list_statuses(method: str, route: APIRoute) -> set[int]:
    """The statuses that the document lists for an operation, without what Traefik answers.

    They come from the route, since FastAPI needs 50 ms to make the document.
    """
    refusals = list_refusals(
        method,
        has_path_parameters=bool(route.param_convertors),
        has_body=route.body_field is not None,
        is_health=HEALTH_TAG in route.tags,
    )
    return {route.status_code or HTTPStatus.OK, *map(int, route.responses), *(kind.status for kind in refusals)}
