"""Clients that are generated as docs/api.md says, from the documents of a running suite, play a game to its end."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.console import read_console
from tests.support.live import PASSWORD, choose_guesses, read_answer
from tests.support.npm import FOLDER, require_packages
from tools.config.paths import ROOT
from tools.process.stack import Stack

PROGRAMS = ROOT / "tests" / "live" / "clients"
VENV_COMMANDS = Path(sys.executable).parent


def run(command: list[str | Path], folder: Path, *, commands: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command that may start those of another folder. Fails with all output unless it succeeds."""
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def generate(stack: Stack, title: str, folder: Path, *, commands: Path) -> None:
    """Runs the console examples of a section of docs/api.md in a folder."""
    for printed, _ in read_console("docs/api.md", title):
        command = printed.replace("http://127.0.0.1:9999", stack.url)
        ended = run(["bash", "-eu", "-c", command], folder, commands=commands)
        assert "warning" not in (ended.stdout + ended.stderr).lower()


def list_arguments(stack: Stack) -> tuple[list[str], str]:
    """Those of a program that plays today's puzzle as a new player and wins with the third guess, and the answer."""
    game_id = httpx.get(f"{stack.url}/api/games/today").json()["game_id"]
    answer = read_answer(stack, game_id)
    return [stack.url, f"live-{uuid4().hex[:20]}", PASSWORD, *choose_guesses(answer, 3)], answer


def check_reached(output: str, answer: str) -> None:
    assert json.loads(output) == {
        "is_won": True,
        "answer": answer,
        "won_in_3": 1,
        "is_counted": True,
        "yesterday": -1,
        "wins": [1],
        "streaks": [1],
    }


def test_generated_python_client_plays_a_game(stack: Stack, tmp_path: Path) -> None:
    generate(stack, "Generate a client in Python", tmp_path, commands=VENV_COMMANDS)
    program = Path(shutil.copy(PROGRAMS / "play.py", tmp_path))
    run(["mypy", "--strict", "."], tmp_path, commands=VENV_COMMANDS)
    arguments, answer = list_arguments(stack)
    check_reached(run([sys.executable, program, *arguments], tmp_path, commands=VENV_COMMANDS).stdout, answer)


@pytest.mark.faults  # 20 s of CPU time, from the same documents as the client in Python
def test_generated_typescript_client_plays_a_game(stack: Stack, tmp_path: Path) -> None:
    commands = require_packages()
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    generate(stack, "Generate a client in TypeScript", tmp_path, commands=commands)
    program = Path(shutil.copy(PROGRAMS / "play.ts", tmp_path))
    options = ("--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--module", "nodenext", "--target", "es2022")
    run(["tsc", *options, program], tmp_path, commands=commands)
    arguments, answer = list_arguments(stack)
    check_reached(run(["node", program.with_suffix(".js"), *arguments], tmp_path, commands=commands).stdout, answer)
