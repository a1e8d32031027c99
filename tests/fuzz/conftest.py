import shutil
from pathlib import Path

import pytest

from tests.support.all_services import Suite
from tests.support.tokens import TokenKeys


@pytest.fixture(scope="session")
def filled_databases(empty_databases: Path, tmp_path_factory: pytest.TempPathFactory, token_keys: TokenKeys) -> Path:
    """A folder with the databases of all services and their sample data; tests copy it."""
    folder = shutil.copytree(empty_databases, tmp_path_factory.mktemp("filled") / "var")
    Suite(folder, token_keys).fill()
    return folder


@pytest.fixture
def suite(filled_databases: Path, tmp_path: Path, token_keys: TokenKeys) -> Suite:
    """All services, on filled databases of this test."""
    return Suite(shutil.copytree(filled_databases, tmp_path / "var"), token_keys)
