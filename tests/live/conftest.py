"""The real suite, once under foreman and once under honcho, on free ports with a small population."""

from collections.abc import Iterator

import httpx
import pytest

from tests.live.helpers import make_population, require_runner
from tools.stack import Stack, copy_project, running_stack


@pytest.fixture(scope="session", params=["foreman", "honcho"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    runner: str = request.param
    require_runner(runner)
    root = tmp_path_factory.mktemp(runner)
    copy_project(root)
    make_population(root)
    with running_stack(root, runner=runner) as running:
        yield running


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    """A client of Traefik; URLs are relative to /api/."""
    with httpx.Client(base_url=f"{stack.url}/api/", timeout=10) as client:
        yield client
