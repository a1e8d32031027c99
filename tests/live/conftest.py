"""The real suite on free ports with a small population, under foreman or, if that is not installed, honcho."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support.chromium import running_chromium
from tests.support.live import RUNNER, UNLIMITED, choose_guesses, make_population, read_answer, require_runner
from tools.process.stack import Stack, copy_project, running_stack


@pytest.fixture(scope="session")
def start_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stack]]:
    """Gives the suite of a runner, which starts at the first call and ends with the session."""
    with ExitStack() as until_end:

        @cache
        def start(runner: str) -> Stack:
            root = tmp_path_factory.mktemp(runner)
            copy_project(root)
            make_population(root)
            return until_end.enter_context(running_stack(root, runner=runner, environment=UNLIMITED))

        yield start


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, start_once: Callable[[str], Stack]) -> Stack:
    """A running suite, under the runner of bin/run unless a test is parametrized with runners."""
    runner: str = getattr(request, "param", RUNNER)
    require_runner(runner)
    return start_once(runner)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A suite with the 100,000 players and million games that the first `bin/run` creates, for one module: a minute."""
    require_runner(RUNNER)
    root = tmp_path_factory.mktemp("demo")
    copy_project(root)
    subprocess.run([root / "bin" / "populate"], check=True)
    with running_stack(root, runner=RUNNER, environment=UNLIMITED) as running:
        yield running
    shutil.rmtree(root / "var")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a small population, not running."""
    root = tmp_path_factory.mktemp("project")
    copy_project(root)
    make_population(root)
    return root


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    """A client of Traefik, with URLs relative to /api/."""
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as running:
        yield running


@pytest.fixture(scope="module")
def answer(stack: Stack) -> str:
    """Of today's puzzle."""
    today = httpx.get(f"{stack.url}/api/games/today", timeout=10).json()
    return read_answer(stack, today["game_id"])


@pytest.fixture(scope="module")
def wrong(answer: str) -> list[str]:
    """Six guesses that lose."""
    return choose_guesses(answer, None)
