"""Completeness of every service's OpenAPI document, and what clients that are generated from it look like."""

import pytest

from tests.support.apps import APPS
from tests.support.openapi_checks import PROBLEM_JSON, TEXT, Json, Schema, find_gaps, list_operations, resolve


@pytest.mark.parametrize("name", APPS)
def test_openapi_document_is_complete(name: str) -> None:
    assert find_gaps(APPS[name].openapi()) == []


def test_operation_ids_are_function_names_and_unique() -> None:
    ids = [operation["operationId"] for app in APPS.values() for _, _, operation in list_operations(app.openapi())]
    assert len(ids) == len(set(ids))
    assert all(name.isidentifier() for name in ids)
    assert {"post_guess", "read_statistics", "register_user", "look_up_words", "stats_read_health"} <= set(ids)


@pytest.mark.parametrize("name", APPS)
def test_document_names_the_public_prefix_as_its_server(name: str) -> None:
    assert APPS[name].openapi()["servers"] == [{"url": f"/api/{name}"}]


@pytest.mark.parametrize("name", APPS)
def test_parameter_that_may_be_left_out_has_a_single_type(name: str) -> None:
    for method, path, operation in list_operations(APPS[name].openapi()):
        for parameter in operation.get("parameters", []):
            assert "type" in parameter["schema"], f"{parameter['name']} of {method} {path}"


def list_values(schema: Json) -> list[Json]:
    """Those of every enumeration in a schema."""
    if isinstance(schema, list):
        return [value for part in schema for value in list_values(part)]
    if not isinstance(schema, dict):
        return []
    own = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
    return own + [value for part in schema.values() for value in list_values(part)]


def test_enumerations_have_no_empty_member() -> None:
    for app in APPS.values():
        values = list_values(app.openapi()["components"]["schemas"])
        assert "" not in values


def test_games_takes_statistics_as_stats_gives_them() -> None:
    for name in ("Statistics", "GuessCounts", "Distribution"):
        taken = APPS["games"].openapi()["components"]["schemas"][name]
        given = APPS["stats"].openapi()["components"]["schemas"][name]
        assert taken["properties"] == given["properties"]
        assert taken["required"] == given["required"]


@pytest.mark.parametrize("name", APPS)
def test_tags_of_operations_are_described_once(name: str) -> None:
    document = APPS[name].openapi()
    described = [tag["name"] for tag in document["tags"]]
    used = {tag for _, _, operation in list_operations(document) for tag in operation["tags"]}
    assert sorted(described) == sorted(used)
    assert all(tag["description"] for tag in document["tags"])


@pytest.mark.parametrize("name", APPS)
def test_security_is_stated_with_scopes_for_oauth2_only(name: str) -> None:
    for method, path, operation in list_operations(APPS[name].openapi()):
        for alternative in operation["security"]:
            assert alternative.get("HTTPBearer", []) == [], f"{method} {path}"
            assert alternative.get("SessionCookie", []) == [], f"{method} {path}"
    assert APPS["games"].openapi()["paths"]["/today"]["get"]["security"] == []
    assert APPS["words"].openapi()["paths"]["/{word}"]["put"]["security"] == [
        {"OAuth2PasswordBearer": ["admin"]},
        {"HTTPBearer": []},
    ]


@pytest.mark.parametrize("name", [name for name in APPS if name != "web"])  # which needs no token
def test_authorize_lists_the_log_in_of_players_first(name: str) -> None:
    schemes = APPS[name].openapi()["components"]["securitySchemes"]
    assert [scheme["type"] for scheme in schemes.values()] == [
        "oauth2",
        "http",
        *(["apiKey"] if name == "users" else []),
    ]
    assert all(scheme["description"] for scheme in schemes.values())


def is_by_service(status: str, response: Schema) -> bool:
    """Whether the service can answer with it, not Traefik only."""
    return int(status) < 400 or PROBLEM_JSON in response["content"]


@pytest.mark.parametrize("name", APPS)
def test_every_documented_status_is_counted_from_zero(name: str) -> None:
    registry = APPS[name].state.metrics.registry
    for method, path, operation in list_operations(APPS[name].openapi()):
        statuses = {status for status, response in operation["responses"].items() if is_by_service(status, response)}
        for status in (*statuses, "500"):
            labels = {"method": method, "route": path, "status": status}
            assert registry.get_sample_value("quintet_requests_total", labels) == 0, labels


def list_referenced(part: Json, document: Schema) -> list[Schema]:
    """The schemas that a part of the document refers to, and those that they refer to; none refers to itself."""
    if isinstance(part, list):
        return [schema for each in part for schema in list_referenced(each, document)]
    if not isinstance(part, dict):
        return []
    if "$ref" in part:
        schema = resolve(part, document)
        return [schema, *list_referenced(schema, document)]
    return [schema for each in part.values() for schema in list_referenced(each, document)]


@pytest.mark.parametrize("name", APPS)
def test_fields_of_responses_are_required_if_always_sent(name: str) -> None:
    document = APPS[name].openapi()
    responses = [operation["responses"] for _, _, operation in list_operations(document)]
    optional = {
        f"{schema['title']}.{field}"
        for schema in list_referenced(responses, document)
        for field in schema.get("properties", {}).keys() - schema.get("required", ())
    }
    assert optional == {"ProblemDetails.error", "ProblemDetails.errors"}


@pytest.mark.parametrize("name", APPS)
def test_field_that_may_be_left_out_has_no_default_of_null(name: str) -> None:
    for schema in APPS[name].openapi()["components"]["schemas"].values():
        for field, part in schema.get("properties", {}).items():
            assert part.get("default", field) is not None, f"{schema['title']}.{field}"


@pytest.mark.parametrize("name", APPS)
def test_parameters_and_fields_have_no_generated_title(name: str) -> None:
    document = APPS[name].openapi()
    schemas = [
        parameter["schema"] for _, _, each in list_operations(document) for parameter in each.get("parameters", [])
    ]
    schemas += [
        part for each in document["components"]["schemas"].values() for part in each.get("properties", {}).values()
    ]
    assert [schema for schema in schemas if "title" in schema] == []


@pytest.mark.parametrize("name", APPS)
def test_plain_text_comes_first_among_media_types(name: str) -> None:
    """openapi-python-client reads a response as the first: plain text is no JSON, but JSON can be read as text."""
    contents = [
        list(response["content"])
        for _, _, operation in list_operations(APPS[name].openapi())
        for response in operation["responses"].values()
        if TEXT in response.get("content", {})
    ]
    assert [TEXT, PROBLEM_JSON] in contents
    assert all(content[0] == TEXT for content in contents)


@pytest.mark.parametrize("name", APPS)
def test_malformed_request_and_wait_are_described_everywhere(name: str) -> None:
    """By what Traefik answers, whatever the operation."""
    for method, path, operation in list_operations(APPS[name].openapi()):
        assert TEXT in operation["responses"]["400"]["content"], f"{method} {path}"
        assert "Retry-After" in operation["responses"]["429"]["headers"], f"{method} {path}"


@pytest.mark.parametrize("name", APPS)
def test_server_timing_is_described_except_for_health_checks(name: str) -> None:
    """Not left out where passwords are checked: what is refused before that has it (`?x=1`)."""
    for method, path, operation in list_operations(APPS[name].openapi()):
        success = min(operation["responses"])
        is_described = "Server-Timing" in operation["responses"][success]["headers"]
        assert is_described == (operation["tags"] != ["health"]), f"{method} {path}"


def list_examples(operation: Schema, status: str) -> list[Schema]:
    """Those of the problem details of a status."""
    return [
        example["value"] for example in operation["responses"][status]["content"][PROBLEM_JSON]["examples"].values()
    ]


def test_problems_without_a_type_of_their_own_have_an_example_each() -> None:
    post_result = APPS["stats"].openapi()["paths"]["/users/{user_id}/games"]["post"]
    assert {example["detail"] for example in list_examples(post_result, "415")} == {
        "The body has a Content-Encoding.",
        "The body is of another media type.",
    }


@pytest.mark.parametrize("name", APPS)
def test_examples_of_422_name_the_field(name: str) -> None:
    for method, path, operation in list_operations(APPS[name].openapi()):
        for example in list_examples(operation, "422") if "422" in operation["responses"] else []:
            (error,) = example["errors"]
            assert example["detail"] == f"{error['field']}: {error['message']}.", f"{method} {path}"
