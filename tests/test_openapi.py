"""Completeness of every service's OpenAPI document."""

import pytest

import games.app
import games.settings
import stats.app
import stats.settings
import users.app
import users.settings
import words.app
import words.settings
from tests.support.openapi_checks import find_gaps

APPS = {
    "users": users.app.create_app(users.settings.Settings(_env_file=None)),
    "words": words.app.create_app(words.settings.Settings(_env_file=None)),
    "games": games.app.create_app(games.settings.Settings(_env_file=None)),
    "stats": stats.app.create_app(stats.settings.Settings(_env_file=None)),
}


@pytest.mark.parametrize("name", APPS)
def test_openapi_document_is_complete(name: str) -> None:
    assert find_gaps(APPS[name].openapi()) == []
