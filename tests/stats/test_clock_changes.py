"""Statistics stay correct while the system clock is set forward and back."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats.app import create_app
from stats.results import Result
from stats.settings import Settings
from tests.support.results import add_user, count_statistics
from tests.support.stored import StoredPlayers

NOON = datetime(2022, 3, 14, 12, tzinfo=UTC)


class SettableClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON


@given(steps=st.lists(st.tuples(st.integers(-72, 72), st.booleans(), st.integers(1, 6)), min_size=1, max_size=12))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_statistics_follow_stored_times_when_the_clock_jumps(
    steps: list[tuple[int, bool, int]],
    stats_settings: Settings,
    stored_players: StoredPlayers,
    service_headers: dict[str, str],
) -> None:
    """Each step moves the clock by up to 72 hours either way; no streak is negative, or longer than the wins."""
    clock, user_id = SettableClock(), add_user(stored_players)
    app = create_app(stats_settings, clock=lambda: clock.now)
    stored = []
    with TestClient(app, headers=service_headers) as client:
        for game_id, (hours, won, guesses) in enumerate(steps):
            clock.now += timedelta(hours=hours)
            body = {"game_id": game_id, "won": won, "guesses": guesses}
            assert client.post(f"/users/{user_id}/games", json=body).status_code == 201
            stored.append(Result(finished=clock.now, guesses=guesses, won=won))
            statistics = client.get(f"/users/{user_id}").json()
            assert statistics == count_statistics(stored)
            assert 0 <= statistics["currentStreak"] <= statistics["maxStreak"] <= statistics["gamesWon"]


def test_result_ahead_of_the_clock_is_422_until_its_time(
    stats_settings: Settings, stored_players: StoredPlayers, service_headers: dict[str, str]
) -> None:
    """When the clock of games is ahead of that of stats, games retries until stats accepts the result."""
    clock, user_id = SettableClock(), add_user(stored_players)
    app = create_app(stats_settings, clock=lambda: clock.now)
    body = {"game_id": 1, "won": True, "guesses": 3, "finished": "2022-03-15T00:00:00Z"}
    with TestClient(app, headers=service_headers) as client:
        assert client.post(f"/users/{user_id}/games", json=body).status_code == 422
        assert client.get(f"/users/{user_id}").json()["gamesPlayed"] == 0
        clock.now += timedelta(hours=12)
        assert client.post(f"/users/{user_id}/games", json=body).status_code == 201
