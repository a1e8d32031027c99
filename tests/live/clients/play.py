"""A player's first game, through clients that openapi-python-client generates from the OpenAPI documents.

Usage: play.py http://127.0.0.1:9999 NAME PASSWORD GUESS...        prints what the player has reached, as JSON
"""

import json
import sys
import time
from typing import TypeVar
from uuid import UUID

import quintet_games_client
import quintet_stats_client
import quintet_users_client
from quintet_games_client.api.games import read_today
from quintet_games_client.api.plays import post_guess, put_play
from quintet_games_client.models import Game, NewGuess, NewPlay, PlayState, PlayStatus
from quintet_stats_client.api.games import read_distribution
from quintet_stats_client.api.leaders import read_streak_leaders, read_wins_leaders
from quintet_stats_client.api.statistics import read_statistics
from quintet_stats_client.models import Distribution, Statistics, StreakLeaders, WinsLeaders
from quintet_users_client.api.users import create_token, register_user
from quintet_users_client.models import NewUser, Token, TokenRequest, User

T = TypeVar("T")
DELIVERY_TIMEOUT_S = 30.0


def expect(kind: type[T], answer: object) -> T:
    """The answer if it is of this kind. Raises SystemExit if it is a problem, or Traefik's refusal."""
    if not isinstance(answer, kind):
        raise SystemExit(f"Expected {kind.__name__}, got {answer}")
    return answer


def log_in(url: str, name: str, password: str) -> tuple[UUID, str]:
    """The id of a new player, and a token."""
    client = quintet_users_client.Client(base_url=f"{url}/api/users")
    user = expect(User, register_user.sync(client=client, body=NewUser(username=name, password=password)))
    request = TokenRequest(username=name, password=password)
    return user.user_id, expect(Token, create_token.sync(client=client, body=request)).access_token


def play(url: str, user_id: UUID, token: str, guesses: list[str]) -> PlayState:
    """Today's puzzle after the last guess, with how it went for all players."""
    client = quintet_games_client.AuthenticatedClient(base_url=f"{url}/api/games", token=token)
    game_id = expect(Game, read_today.sync(client=client)).game_id
    state = expect(PlayState, put_play.sync(game_id, user_id, client=client, body=NewPlay(hard=False)))
    for attempt, guess in enumerate(guesses, start=1):
        body = NewGuess(attempt=attempt, guess=guess)
        state = expect(PlayState, post_guess.sync(game_id, user_id, client=client, body=body))
    deadline = time.monotonic() + DELIVERY_TIMEOUT_S
    while state.distribution is None:  # stats took longer than a second: the same guess asks again
        if time.monotonic() > deadline:
            raise SystemExit(f"Stats did not answer within {DELIVERY_TIMEOUT_S} s.")
        state = expect(PlayState, post_guess.sync(game_id, user_id, client=client, body=body))
    return state


def main(url: str, name: str, password: str, *guesses: str) -> None:
    user_id, token = log_in(url, name, password)
    state = play(url, user_id, token, list(guesses))
    client = quintet_stats_client.AuthenticatedClient(base_url=f"{url}/api/stats", token=token)
    statistics = expect(Statistics, read_statistics.sync(user_id, client=client))
    yesterday = expect(Distribution, read_distribution.sync(state.game_id - 1, client=client))
    wins = expect(WinsLeaders, read_wins_leaders.sync(client=client, limit=3, around=user_id))
    streaks = expect(StreakLeaders, read_streak_leaders.sync(client=client, limit=3, around=user_id))
    reached = {
        "is_won": state.status is PlayStatus.WON,
        "answer": state.answer,
        "won_in_3": statistics.guesses.field_3,
        "is_counted": state.distribution is not None and state.distribution.guesses.field_3 > 0,
        "yesterday": yesterday.game_id - state.game_id,
        "wins": [row.wins for row in wins.leaders if row.user_id == user_id],
        "streaks": [row.streak for row in streaks.leaders if row.user_id == user_id],
    }
    print(json.dumps(reached))


if __name__ == "__main__":
    main(*sys.argv[1:])
