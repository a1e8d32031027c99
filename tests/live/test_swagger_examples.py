"""Swagger's "Try it out" with the values that it fills in, on the data that the first `bin/run` creates."""

import subprocess
from typing import Any

import httpx
import pytest

from servicekit.http.parameters import EXAMPLE_USER_ID
from tests.support.all_services import SERVICES
from tools.process.stack import Stack

NEEDS_A_FINISHED_PLAY = "/{game_id}/plays/{user_id}/share"


def fill_in(path: str, operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path and the query that Swagger sends; every parameter in the path has an example."""
    query = {}
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(schema["example"]))
        elif "example" in schema or "default" in schema:
            query[parameter["name"]] = schema.get("example", schema.get("default"))
    return path, query


@pytest.mark.parametrize("service", SERVICES)
def test_every_read_with_its_examples_is_200(demo: Stack, service: str) -> None:
    command = [f"{demo.root}/bin/token", "--scope", "player", "--user", EXAMPLE_USER_ID]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    base = f"{demo.url}/api/{service}"
    document = httpx.get(f"{base}/openapi.json").json()
    for template, operations in document["paths"].items():
        if "get" in operations and template != NEEDS_A_FINISHED_PLAY:
            path, query = fill_in(template, operations["get"])
            response = httpx.get(base + path.rstrip("/"), params=query, headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == 200, response.text
