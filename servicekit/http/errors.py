"""Errors as RFC 9457 problem details: `application/problem+json`, whose `detail` is always a sentence."""

import http
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import Response

from servicekit.http.caching import NO_STORE_HEADERS, NotModified, on_not_modified
from servicekit.http.media_types import find_wrong_media_type
from servicekit.http.parameters import NO_NULL
from servicekit.http.response_headers import describe_headers
from servicekit.observability.request_ids import PATTERN, request_id
from servicekit.problems import ABOUT_BLANK, DatabaseUnavailable, Invalid, MethodNotAllowed, Problem

logger = logging.getLogger("quintet")

MAX_FIELD_ERRORS = 20
"""In one response, however many fields are wrong."""


class FieldError(BaseModel):
    """What is wrong with one part of the request."""

    field: str = Field(description="where: `body.guesses`, `path.user_id`, `query.limit`", examples=["body.guesses"])
    message: str = Field(description="what is wrong with it", examples=["Input should be less than or equal to 6"])


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(
        description="the path of a page about this type of problem, `/api/games/problems/not-a-word`; `about:blank` if"
        " the status says enough",
        examples=[ABOUT_BLANK],
    )
    title: str = Field(description="the status in words", examples=["Not Found"])
    status: int = Field(description="the HTTP status", ge=400, le=599, examples=[404])
    detail: str = Field(description="a sentence for the reader", examples=["There is no such user."])
    request_id: str = Field(
        description="the id of the request, to look for in the log; every response has it in `X-Request-Id`",
        pattern=PATTERN,
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )
    errors: Annotated[list[FieldError] | None, NO_NULL] = Field(
        default=None, description="with 422, what is wrong with which field"
    )
    error: Annotated[str | None, NO_NULL] = Field(
        default=None,
        description="at the endpoint that gives out tokens, the code of RFC 6749, for OAuth2 clients",
        examples=["invalid_grant"],
    )


FindCode: TypeAlias = Callable[[Request, int, Sequence[FieldError]], str | None]
"""Gives the member `error` of a problem; an app may have one as `state.find_error_code`."""


PROBLEM_JSON = "application/problem+json"


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint, so that OpenAPI names every error status that it can answer with.

    The schema is a reference, not FastAPI's `model`, which would list application/json beside the real type;
    `problem_schemas` is what it refers to.
    """
    schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
    responses: dict[int | str, dict[str, Any]] = {}
    for status in sorted({kind.status for kind in kinds}):
        same = [kind for kind in kinds if kind.status == status]
        examples = {kind.__name__: {"value": _example(kind)} for kind in same}
        responses[status] = {
            "description": "; ".join(map(_describe_kind, same)),
            "headers": describe_headers(*(name for kind in same for name in kind.header_names)),
            "content": {PROBLEM_JSON: {"schema": schema, "examples": examples}},
        }
    return responses


def _describe_kind(kind: type[Problem]) -> str:
    return kind.description if kind.type_uri == ABOUT_BLANK else f"{kind.description} (`{kind.type_uri}`)"


def problem_schemas() -> dict[str, Any]:
    """The components of an OpenAPI document that `problems` refers to."""
    _, schema = models_json_schema([(ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = jsonable_encoder(schema["$defs"], exclude_none=True)  # no `"default": null`, as FastAPI
    return schemas


def _example(kind: type[Problem]) -> dict[str, object]:
    message = f"{kind.description[0].lower()}{kind.description[1:]}"
    errors = [FieldError(field="body.guess", message=message)] if issubclass(kind, Invalid) else None
    details = ProblemDetails(
        type=kind.type_uri,
        title=http.HTTPStatus(kind.status).phrase,
        status=kind.status,
        detail=describe_validation_errors(errors) if errors else f"{kind.description}.",
        request_id="4bf92f3577b34da6a3ce929d0e0e4736",
        errors=errors,
    )
    return details.model_dump(exclude_none=True)


def problem_response(
    status: int,
    detail: str,
    *,
    type_uri: str = ABOUT_BLANK,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
    error: str | None = None,
) -> Response:
    details = ProblemDetails(
        type=type_uri,
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id.get(),
        errors=errors,
        error=error,
    )
    text = json.dumps(details.model_dump(exclude_none=True), ensure_ascii=False, separators=(",", ":"))
    return Response(
        text.encode("utf-8", "backslashreplace"),  # a lone surrogate of the client's becomes a JSON escape
        status_code=status,
        headers={**NO_STORE_HEADERS, **(headers or {})},  # it may tell of one player
        media_type=PROBLEM_JSON,
    )


def describe_validation_errors(errors: list[FieldError]) -> str:
    """A sentence that names each field that is wrong and says why."""
    return "; ".join(f"{error.field}: {error.message}" for error in errors) + "."


def read_validation_errors(error: RequestValidationError) -> list[FieldError]:
    """The first MAX_FIELD_ERRORS, without the input itself, which may be huge, secret or not text.

    A parameter that several dependencies take is wrong once.
    """
    messages = {".".join(map(str, entry["loc"])): _describe(entry) for entry in error.errors()[:MAX_FIELD_ERRORS]}
    return [FieldError(field=field, message=message) for field, message in messages.items()]


def _describe(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "json_invalid":
        return f"this is not JSON ({entry['ctx']['error']})"
    if entry["type"] == "model_attributes_type":
        return "this should be a JSON object"
    return str(entry["msg"]).removeprefix("Value error, ").rstrip(".")


def find_error_code(request: Request, status: int, errors: Sequence[FieldError] = ()) -> str | None:
    find: FindCode | None = getattr(request.app.state, "find_error_code", None)
    return None if find is None else find(request, status, errors)


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for Problem; for the type checker
    if error.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        # an unavailable database is expected, and may affect thousands of requests: one line each
        logger.error("%s", error.detail, exc_info=None if isinstance(error, DatabaseUnavailable) else error.__cause__)
    code = find_error_code(request, error.status)
    errors = [FieldError(field=error.field, message=error.message)] if isinstance(error, Invalid) else None
    return problem_response(
        error.status, error.detail, type_uri=error.type_uri, errors=errors, headers=error.headers, error=code
    )


async def on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it; for the type checker
    wrong_media_type = find_wrong_media_type(request)
    if wrong_media_type is not None:
        return await on_problem(request, wrong_media_type)
    return invalid_response(request, read_validation_errors(error))


def invalid_response(request: Request, errors: list[FieldError]) -> Response:
    code = find_error_code(request, Invalid.status, errors)
    return problem_response(Invalid.status, describe_validation_errors(errors), errors=errors, error=code)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Errors that the framework raises: unknown path, method not allowed, a body that cannot be parsed."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it; for the type checker
    match error.status_code:
        case 400:  # JSON that Python cannot hold, which is 422 here: broken UTF-8, nesting too deep, endless digits
            form = request.headers.get("Content-Type", "").startswith("multipart/")
            return await on_problem(request, Invalid("body", f"this is not {'a form' if form else 'JSON in UTF-8'}"))
        case 404:
            return problem_response(404, "There is nothing at this path.")
        case 405:
            methods: Mapping[str, Sequence[str]] = request.app.state.methods  # Starlette's Allow has one route's only
            return await on_problem(request, MethodNotAllowed(request.method, methods[request.scope["route"].path]))
    return problem_response(error.status_code, str(error.detail), headers=error.headers)


async def on_unexpected_error(_request: Request, _error: Exception) -> Response:
    """A bug: the server logs it with its traceback, and the client learns only that it happened.

    The server closes the connection after it. `Connection: close` says so: else Traefik may already be sending another
    client's request on it, which would be lost.
    """
    sentence = "Something unexpected went wrong here; it has been logged."
    return problem_response(500, sentence, headers={"Connection": "close"})


def install_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(NotModified, on_not_modified)
    app.add_exception_handler(Exception, on_unexpected_error)
