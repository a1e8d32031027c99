"""The README's tour does what it says: every line is typed into a shell, and the answers have the printed shape."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tools.stack import Stack

README = Path(__file__).resolve().parents[2] / "README.md"
MARK = "--- end of answer ---"
VARYING = (
    (r"stats\.[123]", "stats.N"),
    (r"Quintet \d+", "Quintet N"),
    ("[🟩🟨]", "⬛"),
    (r'"answer":"\w+"', '"answer":"WORD"'),
    ("[0-9a-f]{32}", "ID"),
)


def read_console(title: str) -> list[tuple[str, str]]:
    """The commands of a section's console blocks, each with the answer that is printed below it."""
    section = README.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
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


def shape(answer: str) -> object:
    """An answer without what differs from day to day and from player to player."""
    try:
        document = json.loads(answer)
    except ValueError:
        text = answer.replace("\r", "")
        for pattern, mark in VARYING:
            text = re.sub(pattern, mark, text)
        return text
    return shape_of(document)


def shape_of(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape_of(item) for item in value]
    return type(value)


@pytest.mark.parametrize(
    "titles",
    [["A tour"], ["A tour", "Who may do what", "See the load being balanced", "Watch it"]],
    ids=["tour", "tour and what follows it"],
)
def test_every_line_of_the_readme_answers_in_the_printed_shape(stack: Stack, titles: list[str]) -> None:
    pairs = [pair for title in titles for pair in read_console(title)]
    # another stack than the one on port 9999, and another player in each run of this test
    name = f"ada.{len(titles)}.{stack.layout.web_port}"
    commands = [
        command.replace("http://127.0.0.1:9999", stack.url).replace("ada.lovelace", name) for command, _ in pairs
    ]
    answers = type_into_shell(commands, stack.root)
    assert len(answers) == len(pairs) >= 12
    for (command, printed), answer in zip(pairs, answers, strict=True):
        assert shape(answer) == shape(printed), command
