from pathlib import Path

import pytest

from tests.conftest import locate
from tests.tools.scripts import environment
from tools.locations import Locations


@pytest.fixture
def unmade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Locations:
    """Where the scripts will make the databases of a test; not even the folder exists."""
    locations = locate(tmp_path / "var")
    for name, value in environment(locations).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)  # the scripts change the working directory: this brings it back after the test
    return locations
