"""What tests/faults share: a populated project, and measured figures, which tests/conftest.py prints at the end."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from tools.process.stack import copy_project

USERS, GAMES = 6_000, 20_000
Figures: TypeAlias = Callable[[str], None]
"""Records a sentence with measured figures."""


def make_project(
    root: Path, *, users: int = USERS, games: int = GAMES, settings: Mapping[str, str] | None = None
) -> Path:
    """A copy of the project with a new population. `settings` are those that differ from the defaults."""
    copy_project(root)
    with (root / ".env").open("a", encoding="utf-8") as dotenv:
        dotenv.writelines(f"{name}={value}\n" for name, value in (settings or {}).items())
    subprocess.run([root / "bin" / "populate", "--users", str(users), "--games", str(games)], check=True)
    subprocess.run([root / "bin" / "init"], check=True)
    return root
