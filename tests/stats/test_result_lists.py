"""A user's results by pages, and the names of the shards."""

from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from stats.app import create_app
from stats.settings import Settings
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, finish, write_body
from tests.support.stored import StoredPlayers

pytestmark = pytest.mark.both_engines

GAME_IDS = [3, 0, 250, 249, 17, 2**31 - 1, 251]


def store_results(client: TestClient, user_id: object) -> None:
    for number, game_id in enumerate(GAME_IDS):
        body = write_body(game_id, finish(number, won=number % 2 == 0))
        client.post(f"/users/{user_id}/games", json=body).raise_for_status()


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 1000])
def test_next_links_list_every_result_latest_game_first(
    stats_client: TestClient, stored_players: StoredPlayers, limit: int
) -> None:
    user_id = add_user(stored_players)
    store_results(stats_client, user_id)
    store_results(stats_client, add_user(stored_players))
    games, url = [], f"/users/{user_id}/games?limit={limit}"
    while url:
        response = stats_client.get(url)
        page = response.json()["games"]
        assert 0 < len(page) <= limit
        games += page
        url = response.links.get("next", {}).get("url", "")
    assert [game["game_id"] for game in games] == sorted(GAME_IDS, reverse=True)
    assert games == [stats_client.get(f"/users/{user_id}/games/{game['game_id']}").json() for game in games]


def test_next_link_has_the_public_path(
    stats_settings: Settings, stored_players: StoredPlayers, service_headers: dict[str, str]
) -> None:
    user_id = add_user(stored_players)
    with TestClient(create_app(stats_settings), root_path="/api/stats", headers=service_headers) as client:
        store_results(client, user_id)
        link = client.get(f"/users/{user_id}/games?limit=6").headers["Link"]
    assert link == f'</api/stats/users/{user_id}/games?limit=6&after=3>; rel="next"'


def test_user_without_a_result_has_an_empty_list(stats_client: TestClient, stored_players: StoredPlayers) -> None:
    response = stats_client.get(f"/users/{add_user(stored_players)}/games")
    assert response.json() == {"games": []}
    assert "Link" not in response.headers


def test_results_of_an_unknown_user_are_404(stats_client: TestClient) -> None:
    unknown = uuid4()
    assert assert_problem(stats_client.get(f"/users/{unknown}/games"), 404) == f"There is no user {unknown}."


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("after", "-1"), ("after", "1.0")]
)
def test_invalid_page_parameter_is_422(
    stats_client: TestClient, stored_players: StoredPlayers, name: str, value: str
) -> None:
    response = stats_client.get(f"/users/{add_user(stored_players)}/games", params={name: value})
    assert assert_problem(response, 422).startswith(f"query.{name}: ")


def test_shards_are_listed_by_file_in_order(stats_client: TestClient, stats_settings: Settings) -> None:
    names = [url.rpartition("/")[2] for url in stats_settings.shard_urls]
    assert stats_client.get("/shards").json() == {"shards": names}
