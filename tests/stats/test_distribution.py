"""How a puzzle went: counted once per result, and public from the end of the puzzle's day on."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from games.rules import puzzles as puzzles_of_games
from servicekit.auth.tokens import Scope
from stats.app import create_app
from stats.distribution import ResultCount, sum_counts
from stats.puzzles import day_of, game_id_of, is_public
from stats.results import Result
from stats.settings import Settings
from tests.support.clocks import NOON, GameClock
from tests.support.openapi_checks import check_all_responses
from tests.support.players import TODAY
from tests.support.problem_checks import assert_problem
from tests.support.results import add_user, count_distribution, finish, write_body
from tests.support.stored import StoredPlayers
from tests.support.tokens import TokenKeys

pytestmark = pytest.mark.both_engines

LAST_SECOND = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
WHEN_PUBLIC = f" How game {TODAY} went is public once 2026-11-23 (UTC) is over."
PLAYER = UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11")
GAMES = 3
"""The results of a property are of games 0 ... 2."""

posts = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, GAMES - 1),
        st.builds(finish, st.integers(0, 2), won=st.booleans(), guesses=st.integers(1, 6)),
    ),
    max_size=25,
)
"""Player, game and result, with repeated and contradictory ones."""


@pytest.fixture
def clock() -> GameClock:
    return GameClock()


@pytest.fixture
def public_client(stats_settings: Settings, clock: GameClock) -> Iterator[TestClient]:
    """A client without a token."""
    with TestClient(create_app(stats_settings, clock=clock)) as client:
        check_all_responses(client)
        yield client


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6), st.integers(1, 10**6))))
def test_counts_of_all_shards_add_up(rows: list[tuple[bool, int, int]]) -> None:
    found = sum_counts(ResultCount(*row) for row in rows)
    for number in range(1, 7):
        assert found.won_in[number - 1] == sum(players for won, guesses, players in rows if won and guesses == number)
    assert found.lost == sum(players for won, _, players in rows if not won)
    assert found.played == sum(players for _, _, players in rows)
    assert found.won == found.played - found.lost


@given(st.dates(min_value=date(2021, 6, 19)))
def test_calendar_is_that_of_games(day: date) -> None:
    assert game_id_of(day) == puzzles_of_games.game_id_of(day)
    assert day_of(game_id_of(day)) == puzzles_of_games.day_of(game_id_of(day)) == day


@given(st.dates(min_value=date(2021, 6, 19)), st.integers(-2, 2))
def test_game_is_public_after_its_day(day: date, days: int) -> None:
    assert is_public(game_id_of(day) + days, day) == (days < 0)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts)
def test_distribution_is_a_recount_of_the_stored_results(
    stats_client: TestClient, stored_players: StoredPlayers, posts: list[tuple[int, int, Result]]
) -> None:
    """Repeated and refused results change nothing."""
    before = {game_id: stats_client.get(f"/games/{game_id}").json() for game_id in range(GAMES)}
    players = [add_user(stored_players) for _ in range(4)]
    stored: dict[tuple[int, int], Result] = {}
    for player, game_id, result in posts:
        response = stats_client.post(f"/users/{players[player]}/games", json=write_body(game_id, result))
        first = stored.setdefault((player, game_id), result)
        assert response.status_code in ({200, 201} if first == result else {409})
    for game_id in range(GAMES):
        added = count_distribution(game_id, [result for (_, game), result in stored.items() if game == game_id])
        after = stats_client.get(f"/games/{game_id}").json()
        assert after["played"] - before[game_id]["played"] == added["played"]
        assert after["won"] - before[game_id]["won"] == added["won"]
        for name, players_added in added["guesses"].items():
            assert after["guesses"][name] - before[game_id]["guesses"][name] == players_added


def test_invalid_or_unknown_players_result_is_not_counted(
    stats_client: TestClient, stored_players: StoredPlayers
) -> None:
    user_id = add_user(stored_players)
    unknown = "00000000-0000-4000-8000-000000000000"
    assert stats_client.post(f"/users/{unknown}/games", json=write_body(1, finish(1))).status_code == 404
    assert stats_client.post(f"/users/{user_id}/games", json={"game_id": 1}).status_code == 422
    assert stats_client.get("/games/1").json() == count_distribution(1, [])


def test_distribution_adds_up_the_players_of_all_shards(
    stats_client: TestClient, stored_players: StoredPlayers
) -> None:
    players = [add_user(stored_players) for _ in range(20)]
    assert {player.int % 3 for player in players} == {0, 1, 2}
    games = [finish(1, won=number % 4 > 0, guesses=number % 6 + 1) for number in range(20)]
    for player, game in zip(players, games, strict=True):
        stats_client.post(f"/users/{player}/games", json=write_body(268, game)).raise_for_status()
    assert stats_client.get("/games/268").json() == count_distribution(268, games)


def test_game_without_results_is_all_zeros(public_client: TestClient) -> None:
    for game_id in (0, TODAY - 1):
        response = public_client.get(f"/games/{game_id}")
        assert response.status_code == 200
        assert response.json() == count_distribution(game_id, [])


@pytest.mark.parametrize("scope", [None, Scope.SERVICE, Scope.ADMIN])
def test_game_to_come_is_404_for_every_scope(
    public_client: TestClient, token_keys: TokenKeys, scope: Scope | None
) -> None:
    headers = {} if scope is None else token_keys.headers(scope)
    for game_id in (TODAY + 1, 2**31 - 1):
        detail = assert_problem(public_client.get(f"/games/{game_id}", headers=headers), 404)
        assert detail == f"Game {game_id} is yet to come."


@pytest.mark.parametrize("game_id", ["-1", "x", "1.0", "+1", "0x1", "1_983", "2147483648", "%F0%9D%9F%8F"])
def test_malformed_game_id_is_422(public_client: TestClient, game_id: str) -> None:
    assert_problem(public_client.get(f"/games/{game_id}"), 422)


def test_distribution_is_public_from_midnight_on(
    public_client: TestClient, clock: GameClock, token_keys: TokenKeys
) -> None:
    url = f"/games/{TODAY}"
    player = token_keys.headers(Scope.PLAYER, PLAYER)
    for clock.now in (NOON, LAST_SECOND):
        assert assert_problem(public_client.get(url), 401).endswith(WHEN_PUBLIC)
        assert assert_problem(public_client.get(url, headers=player), 403).endswith(WHEN_PUBLIC)
        for scope in (Scope.SERVICE, Scope.ADMIN):
            assert public_client.get(url, headers=token_keys.headers(scope)).status_code == 200
    clock.now = MIDNIGHT
    assert public_client.get(url).json() == count_distribution(TODAY, [])
    assert public_client.get(url, headers={"Authorization": "Bearer nonsense"}).status_code == 200
    assert_problem(public_client.get(f"/games/{TODAY + 1}"), 401)


def test_public_distribution_still_grows_the_day_after(
    public_client: TestClient, clock: GameClock, stored_players: StoredPlayers, service_headers: dict[str, str]
) -> None:
    clock.now = MIDNIGHT + timedelta(hours=23)
    user_id = add_user(stored_players)
    body = {"game_id": TODAY, "won": True, "guesses": 2, "finished": LAST_SECOND.isoformat()}
    assert public_client.get(f"/games/{TODAY}").json()["played"] == 0
    public_client.post(f"/users/{user_id}/games", json=body, headers=service_headers).raise_for_status()
    assert public_client.get(f"/games/{TODAY}").json()["guesses"]["2"] == 1
