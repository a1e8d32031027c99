"""What a newcomer tries on the demo data: the console examples of the documents, and Swagger's "Try it out"."""

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from servicekit.http.parameters import EXAMPLE_USER_ID
from tests.support.all_services import SERVICES
from tests.support.console import read_console
from tools.config.paths import SHARE
from tools.process.stack import Stack

TOUR = ("README.md", "A tour")
SECTIONS = (
    TOUR,
    ("docs/security.md", "Who may do what"),
    ("README.md", "See the load being balanced"),
    ("docs/operating.md", "Watch it"),
)
"""Documents and headings, in the order in which the shell runs them: later ones use variables of the tour."""
NEEDS_A_FINISHED_PLAY = "/{game_id}/plays/{user_id}/share"
MARK = "--- end of answer ---"
UUID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
PLACEHOLDERS = (
    (r"stats\.[123]", "stats.N"),
    (r"Quintet \d+", "Quintet N"),
    (r'"game_id":\d{4}', '"game_id":N'),
    (r'"date":"[\d-]+"', '"date":"DAY"'),
    (r'"ends_at":"[\d-]+T', '"ends_at":"DAYT'),
    ("[🟩🟨]", "⬛"),
    (r'"answer":"\w+"', '"answer":"WORD"'),
    (r'"state":"\w+"', '"state":"STATE"'),
    (r'"keyboard":\{[^}]+\}', '"keyboard":{}'),
    (r'"access_token":"[^"]+"', '"access_token":"TOKEN"'),
    (r'"request_id":"[0-9a-f]{32}"', '"request_id":"ID"'),
    (r"X-Request-Id: [0-9a-f]{32}", "X-Request-Id: ID"),
)
"""Patterns of output that differs between days, installations or players, and what replaces it."""


def run_in_shell(commands: list[str], folder: Path) -> list[str]:
    """Runs all commands in one shell in a folder, and returns the output of each."""
    script = "".join(f"{command}\necho; echo '{MARK}'\n" for command in commands)
    ended = subprocess.run(["bash", "-eu"], cwd=folder, input=script, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return [answer.strip() for answer in ended.stdout.split(MARK)[:-1]]


def mask(command: str, answer: str) -> str:
    """The output of a command with placeholders for what differs."""
    text = answer.replace("\r", "")
    for pattern, mark in PLACEHOLDERS:
        text = re.sub(pattern, mark, text)
    if "$user" in command:  # a new player's neighbours depend on the random id
        text = re.sub(rf'"user_id":"{UUID}","username":"[^"]+"', "PLAYER", text)
    if "/check " in command:  # answers are drawn per installation
        text = text.replace("true", "false")
    if '"username":"ada' in text or "/plays/" in command or "$play" in command:
        text = re.sub(UUID, "USER", text)
    return text


def test_every_console_example_has_the_printed_output(demo: Stack) -> None:
    """Each command runs in one shell."""
    pairs = [pair for document, title in SECTIONS for pair in read_console(document, title)]
    answers = run_in_shell([command.replace("http://127.0.0.1:9999", demo.url) for command, _ in pairs], demo.root)
    assert len(answers) == len(pairs) >= 12
    for (command, printed), answer in zip(pairs, answers, strict=True):
        assert mask(command, answer) == mask(command, printed), command


def test_no_guess_of_the_tour_is_a_candidate() -> None:
    candidates = set((SHARE / "answers.txt").read_text(encoding="utf-8").split())
    tour = " ".join(command for command, _ in read_console(*TOUR))
    listed = re.search(r"for guess in ([a-z ]+);", tour)
    assert listed is not None
    assert candidates.isdisjoint([*listed[1].split(), "lanes"])


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
    """With the values that Swagger fills in."""
    command = [f"{demo.root}/bin/token", "--scope", "player", "--user", EXAMPLE_USER_ID]
    token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    base = f"{demo.url}/api/{service}"
    document = httpx.get(f"{base}/openapi.json").json()
    for template, operations in document["paths"].items():
        if "get" in operations and template != NEEDS_A_FINISHED_PLAY:
            path, query = fill_in(template, operations["get"])
            response = httpx.get(base + path.rstrip("/"), params=query, headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == 200, response.text
