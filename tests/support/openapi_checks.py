"""Holds a service to its own OpenAPI document: that it tells a stranger enough, and that every response is as it says.

    document = app.openapi()
    assert find_gaps(document) == []
    hold_to_document(client)   # from now on every response is checked as it comes

A document here is the parsed JSON, a schema a part of it.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import httpx
from fastapi import FastAPI
from starlette.testclient import TestClient

Json: TypeAlias = Any
Schema: TypeAlias = dict[str, Any]

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
TEXT = "text/plain"
FASTAPIS_OWN = {"/docs", "/openapi.json"}
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
TYPES: dict[str, Callable[[Json], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
FORMATS: dict[str, Callable[[str], object]] = {"uuid": UUID, "date-time": datetime.fromisoformat}
LIMITS: dict[str, Callable[[Json, Json], bool]] = {
    "const": lambda value, limit: bool(value == limit),
    "enum": lambda value, limit: value in limit,
    "minimum": lambda value, limit: bool(value >= limit),
    "maximum": lambda value, limit: bool(value <= limit),
    "minLength": lambda value, limit: len(value) >= limit,
    "maxLength": lambda value, limit: len(value) <= limit,
    "minItems": lambda value, limit: len(value) >= limit,
    "maxItems": lambda value, limit: len(value) <= limit,
    "pattern": lambda value, limit: re.search(limit, value) is not None,
}


def resolve(schema: Schema, document: Schema) -> Schema:
    """What a `$ref` refers to; raises KeyError if that is nowhere."""
    if "$ref" not in schema:
        return schema
    found = document
    for key in schema["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def find_differences(value: Json, schema: Schema, document: Schema, where: str) -> list[str]:
    """A sentence for each part of a value that is not as the schema says; none if it conforms."""
    schema = resolve(schema, document)
    if "anyOf" in schema:
        attempts = [find_differences(value, choice, document, where) for choice in schema["anyOf"]]
        return [] if [] in attempts else attempts[0]
    if "type" in schema and not TYPES[schema["type"]](value):
        return [f"{where} is {value!r}, no {schema['type']}"]
    differences = [
        f"{where} is {value!r}, not of {keyword} {schema[keyword]!r}"
        for keyword, holds in LIMITS.items()
        if keyword in schema and not holds(value, schema[keyword])
    ]
    if isinstance(value, str) and schema.get("format") in FORMATS:
        FORMATS[schema["format"]](value)  # raises ValueError
    if isinstance(value, list):
        for number, item in enumerate(value):
            differences += find_differences(item, schema.get("items", {}), document, f"{where}[{number}]")
    if isinstance(value, dict):
        differences += find_differences_of_object(value, schema, document, where)
    return differences


def find_differences_of_object(value: dict[str, Json], schema: Schema, document: Schema, where: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", False)
    yield from (f"{where} lacks {name}" for name in schema.get("required", []) if name not in value)
    for name, part in value.items():
        if name in properties:
            yield from find_differences(part, properties[name], document, f"{where}.{name}")
        elif not others:
            yield f"{where} has {name}, which is not described"
        elif others is not True:
            yield from find_differences(part, others, document, f"{where}.{name}")


def list_operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Method in upper case, path, operation."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def find_gaps(document: Schema) -> list[str]:
    """A sentence for each thing that a stranger would miss in a document; none if all is well."""
    gaps = []
    if "HTTPValidationError" in json.dumps(document):
        gaps.append("FastAPI's own validation error is described, which is never sent")
    for name, schema in document["components"]["schemas"].items():
        for field, part in schema.get("properties", {}).items():
            if not part.get("description"):
                gaps.append(f"{name}.{field} has no description")
    for method, path, operation in list_operations(document):
        for gap in find_gaps_of_operation(operation, document):
            gaps.append(f"{method} {path}: {gap}")  # noqa: PERF401 - reads better than a comprehension in two levels
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
            yield from find_gaps_of_content(status, content, document, {PROBLEM_JSON})
            if content.get(PROBLEM_JSON, {}).get("schema") != PROBLEM_SCHEMA:
                yield f"{status} is not described as {PROBLEM_SCHEMA['$ref']}"


def find_gaps_of_content(name: str, content: Schema, document: Schema, media_types: set[str]) -> Iterator[str]:
    if set(content) != media_types:
        yield f"{name} is of {sorted(content)}, not {sorted(media_types)}"
    for media in content.values():
        example = find_example(media, document)
        if example is None:
            yield f"{name} has no example"
        else:
            yield from find_differences(example, media["schema"], document, f"the example of {name}")


def find_example(media: Schema, document: Schema) -> Json:
    """Of a body: its own, its schema's, or one made of those of all fields; None if there is none."""
    if "example" in media:
        return media["example"]
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
    """The one that a request goes to, a literal path before one with parameters; None if there is none."""
    if path in FASTAPIS_OWN:
        return None
    templates = sorted(document["paths"], key=lambda template: template.count("{"))
    for template in templates:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: Schema | None = document["paths"][template].get(method.lower())
            return operation
    return None


def check_response(response: httpx.Response, document: Schema) -> None:
    """Fails unless its operation lists its status, and describes its media type and body."""
    request = response.request
    operation = find_operation(request.method, request.url.path, document)
    if operation is None:
        return  # no such path, no such method, or a page that is not described
    where = f"{response.status_code} of {request.method} {request.url.path}"
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{where} is not listed: {response.text}"
    content = described.get("content", {})
    if not content:
        assert response.content == b"", f"{where} has a body"
        return
    media_type = response.headers["Content-Type"].removesuffix("; charset=utf-8")
    assert media_type in content, f"{where} is of {media_type}"
    body = response.text if media_type == TEXT else response.json()
    assert find_differences(body, content[media_type]["schema"], document, where) == []


def hold_to_document(client: TestClient) -> None:
    """Checks every response that a client gets from now on; the client must have no root path."""
    app = client.app
    assert isinstance(app, FastAPI)
    document = json.loads(json.dumps(app.openapi()))

    def check(response: httpx.Response) -> None:
        response.read()
        check_response(response, document)

    client.event_hooks["response"].append(check)
