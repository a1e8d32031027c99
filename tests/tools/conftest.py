from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import locate
from tests.support.polling import wait_until
from tests.support.scripts import environment
from tests.support.supervised_command import Kept, is_running
from tools.config.paths import DataPaths
from tools.data import init, populate


@pytest.fixture
def unmade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataPaths:
    """Where the scripts will make the databases of a test; not even the folder exists."""
    data_paths = locate(tmp_path / "var")
    for name, value in environment(data_paths).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)  # the scripts change the working directory: this brings it back after the test
    return data_paths


@pytest.fixture
def populated(unmade: DataPaths, capsys: pytest.CaptureFixture[str]) -> DataPaths:
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
