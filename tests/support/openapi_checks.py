"""Checks OpenAPI documents for completeness, and every response against its document.

    document = app.openapi()
    assert find_gaps(document) == []
    check_all_responses(client)   # from now on every response is checked

`document` is the parsed JSON, `schema` a part of it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import httpx
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator
from starlette.testclient import TestClient

from servicekit.http.proxy_refusals import REFUSALS
from servicekit.http.response_headers import RESPONSE_HEADERS

Json: TypeAlias = Any
Schema: TypeAlias = dict[str, Any]

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain"
FASTAPIS_OWN = {"/docs", "/openapi.json"}
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}

documents_by_title: dict[str, Schema] = {}


def resolve(schema: Schema, document: Schema) -> Schema:
    """The target of a `$ref`; raises KeyError if it does not exist."""
    if "$ref" not in schema:
        return schema
    found = document
    for key in schema["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def find_differences(value: Json, schema: Schema, document: Schema, where: str) -> list[str]:
    """A sentence for each violation of the schema; an empty list if the value conforms."""
    closed = close_objects({**schema, "components": document["components"]})
    validator = Draft202012Validator(closed, validate_formats=True)
    return [
        f"{where}{''.join(f'[{key!r}]' for key in error.instance_path)}: {error.message}"
        for error in validator.iter_errors(value)
    ]


def close_objects(schema: Json) -> Json:
    """A copy in which objects allow described fields only; JSON Schema allows additional ones by default."""
    if isinstance(schema, list):
        return [close_objects(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close_objects(part) for name, part in schema.items()}
    return {"additionalProperties": False, **closed} if schema.get("type") == "object" else closed


def list_operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yields method in upper case, path and operation."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def find_gaps(document: Schema) -> list[str]:
    """A sentence for each missing summary, description, example or error response."""
    gaps = []
    if "HTTPValidationError" in json.dumps(document):
        gaps.append("FastAPI's own validation error is described, which is never sent")
    for name, schema in document["components"]["schemas"].items():
        if not schema.get("description"):
            gaps.append(f"{name} has no description")
        for field, part in schema.get("properties", {}).items():
            if not part.get("description"):
                gaps.append(f"{name}.{field} has no description")
    for method, path, operation in list_operations(document):
        for gap in find_gaps_of_operation(operation, document):
            gaps.append(f"{method} {path}: {gap}")  # noqa: PERF401 - clearer than a nested comprehension
    return gaps


def find_gaps_of_operation(operation: Schema, document: Schema) -> Iterator[str]:
    if not operation.get("summary"):
        yield "no summary"
    if not operation.get("description"):
        yield "no description"
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if not parameter.get("description"):
            yield f"{parameter['name']} has no description"
    if (parameters or "requestBody" in operation) and "422" not in operation["responses"]:
        yield "takes input and does not list 422"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        yield from find_gaps_of_content("body", content, document, {FORM} if FORM in content else {JSON})
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if int(status) < 400:
            media_types = set(content) & {TEXT} or {JSON}
            yield from find_gaps_of_content(status, content, document, media_types if content else set())
        else:
            by_traefik = {TEXT} if int(status) in REFUSALS else set()
            own = {PROBLEM_JSON} if PROBLEM_JSON in content or not by_traefik else set()
            yield from find_gaps_of_content(status, content, document, own | by_traefik)
            if own and content.get(PROBLEM_JSON, {}).get("schema") != PROBLEM_SCHEMA:
                yield f"{status} is not described as {PROBLEM_SCHEMA['$ref']}"


def find_gaps_of_content(name: str, content: Schema, document: Schema, media_types: set[str]) -> Iterator[str]:
    if set(content) != media_types:
        yield f"{name} is of {sorted(content)}, not {sorted(media_types)}"
    for media in content.values():
        examples = list_examples(media, document)
        if not examples:
            yield f"{name} has no example"
        for example in examples:
            yield from find_differences(example, media["schema"], document, f"the example of {name}")


def list_examples(media: Schema, document: Schema) -> list[Json]:
    """The examples of a body: its own, its schema's, or one built from the fields' examples."""
    if "examples" in media:
        return [example["value"] for example in media["examples"].values()]
    example = media.get("example", find_example(media, document))
    return [] if example is None else [example]


def find_example(media: Schema, document: Schema) -> Json:
    """Of its schema, or built from the fields' examples; None if there is none."""
    schema = resolve(media["schema"], document)
    if "example" in schema:
        return schema["example"]
    if schema.get("examples"):
        return schema["examples"][0]
    parts = {}
    for name, part in schema.get("properties", {}).items():
        if "default" not in part and not part.get("examples"):
            return None
        parts[name] = part["examples"][0] if part.get("examples") else part["default"]
    return parts or None


def find_operation(method: str, path: str, document: Schema) -> Schema | None:
    """The operation of a request, preferring literal paths over parameters; None if there is none."""
    if path in FASTAPIS_OWN:
        return None
    templates = sorted(document["paths"], key=lambda template: template.count("{"))
    for template in templates:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: Schema | None = document["paths"][template].get(method.lower())
            return operation
    return None


def check_response(response: httpx.Response, document: Schema) -> None:
    """Fails unless the operation lists the status, and the body conforms to its media type and schema."""
    request = response.request
    operation = find_operation(request.method, request.url.path, document)
    if operation is None:
        return  # unknown path or method, or an undocumented page
    where = f"{response.status_code} of {request.method} {request.url.path}"
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{where} is not listed: {response.text}"
    undescribed = {name for name in RESPONSE_HEADERS if name in response.headers} - described["headers"].keys()
    assert not undescribed, f"{where} has {undescribed}"
    content = described.get("content", {})
    if not content:
        assert response.content == b"", f"{where} has a body"
        return
    media_type = response.headers["Content-Type"].removesuffix("; charset=utf-8")
    assert media_type in content, f"{where} is of {media_type}"
    body = response.text if media_type == TEXT else response.json()
    assert find_differences(body, content[media_type]["schema"], document, where) == []


def read_document(app: FastAPI) -> Schema:
    """The OpenAPI document of a service, which FastAPI needs 50 ms to generate: the tests start hundreds of apps."""
    if app.title not in documents_by_title:  # settings change no document
        documents_by_title[app.title] = json.loads(json.dumps(app.openapi()))
    return documents_by_title[app.title]


def check_all_responses(client: TestClient) -> None:
    """Checks every response to a client from now on, except of URLs with a root path, which match no operation."""
    app = client.app
    assert isinstance(app, FastAPI)
    document = read_document(app)

    def check(response: httpx.Response) -> None:
        response.read()
        check_response(response, document)

    client.event_hooks["response"].append(check)
