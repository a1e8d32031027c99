"""What a stranger reads in Swagger, of every service."""

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
def test_everything_has_a_summary_a_description_an_example_and_its_errors(name: str) -> None:
    assert find_gaps(APPS[name].openapi()) == []
