"""The real suite on free ports with a small population: under foreman or, where that is missing, under honcho."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.live import RUNNER, UNLIMITED, make_population, require_runner
from tools.process.stack import Stack, copy_project, running_stack


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """tests/live/test_suite.py asks for both runners, and tests/live/test_lifecycle.py starts its own of both."""
    runner: str = getattr(request, "param", RUNNER)
    require_runner(runner)
    root = tmp_path_factory.mktemp(runner)
    copy_project(root)
    make_population(root)
    with running_stack(root, runner=runner, environment=UNLIMITED) as running:
        yield running


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    """A client of Traefik; URLs are relative to /api/."""
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10) as client:
        yield client
