"""Completeness of every service's OpenAPI document."""

import pytest

from tests.support.apps import APPS
from tests.support.openapi_checks import find_gaps


@pytest.mark.parametrize("name", APPS)
def test_openapi_document_is_complete(name: str) -> None:
    assert find_gaps(APPS[name].openapi()) == []
