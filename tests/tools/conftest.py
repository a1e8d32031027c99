from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import locate
from tests.tools.keeping import Kept, is_running
from tests.tools.scripts import environment
from tests.waiting import wait_until
from tools import init, populate
from tools.locations import Locations


@pytest.fixture
def unmade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Locations:
    """Where the scripts will make the databases of a test; not even the folder exists."""
    locations = locate(tmp_path / "var")
    for name, value in environment(locations).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)  # the scripts change the working directory: this brings it back after the test
    return locations


@pytest.fixture
def populated(unmade: Locations, capsys: pytest.CaptureFixture[str]) -> Locations:
    """Complete databases and keys, with a few players and their games."""
    populate.main(["--users", "300", "--games", "3000"])
    init.main([])
    capsys.readouterr()
    return unmade


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Its command is ready."""
    kept = Kept(tmp_path)
    try:
        wait_until(lambda: kept.pids("ready"))
        yield kept
    finally:
        if kept.process.poll() is None:
            kept.end()
        assert not any(map(is_running, kept.pids("began")))
