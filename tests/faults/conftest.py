"""A running suite for fault injection, and measured figures, which tests/conftest.py prints at the end."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.live import RUNNER, UNLIMITED
from tools.process.stack import Stack, copy_project, running_stack

USERS, GAMES = 6_000, 20_000
UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Drops root's privilege to open files regardless of their permissions."""
Figures: TypeAlias = Callable[[str], None]
"""Records a sentence with measured figures."""


def make_project(root: Path, *, users: int = USERS, games: int = GAMES) -> Path:
    """A copy of the project with a new population."""
    copy_project(root)
    subprocess.run([root / "bin" / "populate", "--users", str(users), "--games", str(games)], check=True)
    subprocess.run([root / "bin" / "init"], check=True)
    return root


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running suite, shared by all tests of this folder that restore its state."""
    root = make_project(tmp_path_factory.mktemp("faults"))
    wrapper = UNPRIVILEGED if os.geteuid() == 0 else ()
    with running_stack(root, runner=RUNNER, environment=UNLIMITED, wrapper=wrapper) as running:
        yield running


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    return lambda sentence: record_property("figures", sentence)
