import pytest

from tests.support.all_services import Suite
from tests.support.tokens import TokenKeys
from tools.config.paths import DataPaths


@pytest.fixture
def suite(data_paths: DataPaths, token_keys: TokenKeys) -> Suite:
    """All services, on filled databases of this test."""
    suite = Suite(data_paths, token_keys)
    suite.fill()
    return suite
