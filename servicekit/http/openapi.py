"""Completes the OpenAPI document that FastAPI makes: what is true of every operation of every service."""

from typing import Any

from servicekit.auth.dependencies import PASSWORD_FLOW
from servicekit.http.errors import problem_schemas, problems
from servicekit.http.proxy_refusals import add_proxy_refusals
from servicekit.http.response_headers import ON_EVERY_RESPONSE, describe_headers
from servicekit.http.strict_requests import METHODS_WITH_BODY
from servicekit.problems import BadRequest, Problem, UnsupportedMediaType


def complete_document(document: dict[str, Any]) -> None:
    document.setdefault("components", {}).setdefault("schemas", {}).update(problem_schemas())
    for operations in document["paths"].values():
        for method, operation in operations.items():
            complete_responses(method, operation)
            complete_security(operation)


def complete_responses(method: str, operation: dict[str, Any]) -> None:
    """Adds refusals that come before the endpoint runs, the headers of every response, and what Traefik refuses."""
    responses = operation["responses"] | list_refusals(method, operation)
    for response in responses.values():
        response["headers"] = response.get("headers", {}) | describe_headers(*ON_EVERY_RESPONSE)
    add_proxy_refusals(responses, has_body="requestBody" in operation)
    operation["responses"] = dict(sorted(responses.items()))


def complete_security(operation: dict[str, Any]) -> None:
    """Says of a public operation that it needs nothing; leaves scopes to OAuth2, the one scheme that has them."""
    operation["security"] = [
        {scheme: scopes if scheme == PASSWORD_FLOW.scheme_name else [] for scheme, scopes in alternative.items()}
        for alternative in operation.get("security", [])
    ]


def list_refusals(method: str, operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Responses that StrictRequests may send before the endpoint runs."""
    refusals: list[type[Problem]] = []
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", [])):
        refusals.append(BadRequest)
    if method.upper() in METHODS_WITH_BODY:
        refusals.append(UnsupportedMediaType)
    return {str(status): response for status, response in problems(*refusals).items()}
