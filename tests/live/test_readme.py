"""The console examples of the documents give the printed output: each command runs in one shell, on a suite with the
demo data."""

import re
import subprocess
from pathlib import Path

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
