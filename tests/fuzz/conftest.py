import pytest

from tests.fuzz.suite import Suite
from tests.tokens import TokenKeys
from tools.locations import Locations


@pytest.fixture
def suite(locations: Locations, token_keys: TokenKeys) -> Suite:
    """On databases of its own."""
    suite = Suite(locations, token_keys)
    suite.fill()
    return suite
