"""A suite for faults to happen to, and the figures of what they did, which tests/conftest.py prints at the end."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.live import RUNNER, UNLIMITED
from tools.process.stack import Stack, copy_project, running_stack

USERS, GAMES = 6_000, 20_000
MORTAL = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Takes from root the right to open files that nobody may open."""
Figures: TypeAlias = Callable[[str], None]
"""Takes a sentence with what was measured."""


def make_project(root: Path, *, users: int = USERS, games: int = GAMES) -> Path:
    """A copy of the project with a population of its own."""
    copy_project(root)
    subprocess.run([root / "bin" / "populate", "--users", str(users), "--games", str(games)], check=True)
    subprocess.run([root / "bin" / "init"], check=True)
    return root


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests of this folder that leave it as they found it."""
    root = make_project(tmp_path_factory.mktemp("faults"))
    wrapper = MORTAL if os.geteuid() == 0 else ()
    with running_stack(root, runner=RUNNER, environment=UNLIMITED, wrapper=wrapper) as running:
        yield running


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    return lambda sentence: record_property("figures", sentence)
