import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.polling import wait_until
from tests.support.scripts import use_databases
from tests.support.supervised_command import Kept, is_running
from tools.config.paths import DataPaths
from tools.data import init, populate


@pytest.fixture
def unmade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataPaths:
    """Where the scripts will make the databases of a test; not even the folder exists."""
    data_paths = DataPaths.in_folder(tmp_path / "var")
    use_databases(data_paths, monkeypatch)
    return data_paths


@pytest.fixture(scope="session")
def populated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Complete databases and keys, with a few players and their games, to be copied."""
    data_paths = DataPaths.in_folder(tmp_path_factory.mktemp("populated") / "var")
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_databases(data_paths, monkeypatch)
        populate.main(["--users", "300", "--games", "3000"])
        init.main([])
    return data_paths.folder


@pytest.fixture
def populated(unmade: DataPaths, populated_folder: Path) -> DataPaths:
    """A copy of `populated_folder`."""
    shutil.copytree(populated_folder, unmade.folder)
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
