"""The console examples of the documents do what they say: each line is typed into the shell of a new user, whose suite
has the demo data."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.live import RUNNER, UNLIMITED, require_runner
from tools.config.paths import ROOT, SHARE
from tools.process.stack import Stack, copy_project, running_stack

TOUR = ("README.md", "A tour")
SECTIONS = (
    TOUR,
    ("docs/security.md", "Who may do what"),
    ("README.md", "See the load being balanced"),
    ("docs/operating.md", "Watch it"),
)
"""Document and heading, in the order in which one shell gets them: the later ones use the tour's variables."""
MARK = "--- end of answer ---"
UUID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
VARYING = (
    (r"stats\.[123]", "stats.N"),
    (r"Quintet \d+", "Quintet N"),
    (r'"game_id":\d{4}', '"game_id":N'),
    (r'"date":"[\d-]+"', '"date":"DAY"'),
    ("[🟩🟨]", "⬛"),
    (r'"answer":"\w+"', '"answer":"WORD"'),
    (r'"state":"\w+"', '"state":"STATE"'),
    (r'"keyboard":\{[^}]+\}', '"keyboard":{}'),
    (r'"access_token":"[^"]+"', '"access_token":"TOKEN"'),
    (r'"request_id":"[0-9a-f]{32}"', '"request_id":"ID"'),
    (r"X-Request-Id: [0-9a-f]{32}", "X-Request-Id: ID"),
)
"""What differs from day to day, from installation to installation, and from player to player."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The suite with the hundred thousand players and million games of the first `bin/run`."""
    require_runner(RUNNER)
    root = tmp_path_factory.mktemp("demo")
    copy_project(root)
    subprocess.run([root / "bin" / "populate"], check=True)
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as running:
        yield running
    shutil.rmtree(root / "var")


def read_console(document: str, title: str) -> list[tuple[str, str]]:
    """The commands of a section's console blocks, each with the answer that is printed below it."""
    section = (ROOT / document).read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    lines = "".join(blocks).split("\n$ ")
    pairs = [line.removeprefix("$ ").partition("\n") for line in lines]
    return [(command, answer.strip()) for command, _, answer in pairs]


def type_into_shell(commands: list[str], folder: Path) -> list[str]:
    """What each command answers, in one shell in the project's folder."""
    script = "".join(f"{command}\necho; echo '{MARK}'\n" for command in commands)
    ended = subprocess.run(["bash", "-eu"], cwd=folder, input=script, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    return [answer.strip() for answer in ended.stdout.split(MARK)[:-1]]


def mask(command: str, answer: str) -> str:
    """An answer without what differs."""
    text = answer.replace("\r", "")
    for pattern, mark in VARYING:
        text = re.sub(pattern, mark, text)
    if "$user" in command:  # the players beside a new one depend on its random id
        text = re.sub(rf'"user_id":"{UUID}","username":"[^"]+"', "PLAYER", text)
    if "/check " in command:  # the answer of a day is drawn in each installation
        text = text.replace("true", "false")
    if '"username":"ada' in text or "/plays/" in command or "$play" in command:
        text = re.sub(UUID, "USER", text)
    return text


def test_every_console_line_answers_as_printed(demo: Stack) -> None:
    pairs = [pair for document, title in SECTIONS for pair in read_console(document, title)]
    answers = type_into_shell([command.replace("http://127.0.0.1:9999", demo.url) for command, _ in pairs], demo.root)
    assert len(answers) == len(pairs) >= 12
    for (command, printed), answer in zip(pairs, answers, strict=True):
        assert mask(command, answer) == mask(command, printed), command


def test_no_guess_of_the_tour_can_be_an_answer() -> None:
    candidates = set((SHARE / "answers.txt").read_text(encoding="utf-8").split())
    tour = " ".join(command for command, _ in read_console(*TOUR))
    listed = re.search(r"for guess in ([a-z ]+);", tour)
    assert listed is not None
    assert candidates.isdisjoint([*listed[1].split(), "lanes"])
