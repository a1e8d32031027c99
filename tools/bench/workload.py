"""The requests that bin/bench sends to each endpoint, and the targets of each."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import shuffle
from typing import TypeAlias
from uuid import UUID

from games.rules.puzzles import game_id_of
from servicekit.auth.tokens import Scope
from servicekit.db.column_types import to_stored_time
from tools.bench.wrk import write_script
from tools.config.paths import SHARE
from tools.data.atomic_files import open_to_read
from users.token_issuer import TokenIssuer

BARE, BARE_POST = "bare GET", "bare POST"
GUESSES = ("lanes", "trips", "ducks", "bombs", "slots", "ferns")
"""Words of the dictionary that are never answers, so a play lasts all six guesses."""
SAMPLE = 20_000
"""Players who are requested in turn, and who play."""
REPEATS = 300
"""Distinct results of the endpoint that posts results again."""
FIRST_NEW_GAME = 1_000_000
"""The first number of the puzzles that no player has played, one for each run."""

WriteRequests: TypeAlias = Callable[["Sample", int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    name: str
    write_requests: WriteRequests
    """The requests of a run, by its number from 0: a write needs new ones in each run."""
    reference: str = BARE
    """The bare endpoint that it is compared with."""
    target: float | None = None
    """The least ratio of its requests/s to the reference's."""
    is_read: bool = False
    """Whether it is also measured with a tenth and with ten times the data."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Players of a stack, and the tokens for requests in their name."""

    players: Sequence[UUID]
    service_token: str
    player_tokens: Sequence[str]
    """In the order of the players."""
    words: Sequence[str]
    game_id: int
    """Of today's puzzle."""
    runs: int

    def share(self, run: int) -> slice:
        """The players who play in a run. No run repeats the guesses of another: a repeated guess has no effect."""
        size = len(self.players) // self.runs
        return slice(run * size, (run + 1) * size)


def choose_players(folder: Path) -> list[UUID]:
    """Random players with finished games, from the shards in a folder."""
    players: list[UUID] = []
    shards = sorted(folder.glob("games?.db"))
    for shard in shards:
        with closing(open_to_read(shard)) as database:
            rows = database.execute("SELECT user_id FROM standings ORDER BY random() LIMIT ?", (SAMPLE // len(shards),))
            players += [UUID(bytes=user_id) for (user_id,) in rows]
    shuffle(players)
    return players


def choose_sample(root: Path, *, runs: int) -> Sample:
    """Also begins a play of today's puzzle for each player, in the database: no service may be running yet."""
    now = datetime.now(UTC)
    folder = root / "var"
    players = choose_players(folder)
    game_id = game_id_of(now.date())
    with closing(sqlite3.connect(folder / "plays.db")) as plays:
        plays.executemany(
            "INSERT INTO plays (user_id, game_id, hard, begun) VALUES (?, ?, 0, ?)",
            [(player.bytes, game_id, to_stored_time(now)) for player in players],
        )
        plays.commit()
    token_issuer = TokenIssuer(folder / "tokens.key")
    words = (SHARE / "words.txt").read_text(encoding="utf-8").split()
    shuffle(words)
    return Sample(
        players=players,
        service_token=(folder / "games.token").read_text(encoding="ascii").strip(),
        player_tokens=[
            token_issuer.issue(scope=Scope.PLAYER, user_id=player, now=now, lifetime=timedelta(hours=2))
            for player in players
        ],
        words=words,
        game_id=game_id,
        runs=runs,
    )


def get(path: str, *, items: Callable[[Sample], Sequence[object]] = lambda _: [""]) -> WriteRequests:
    """GET requests of a path, one for each item, which replaces `{}`."""
    return lambda sample, _run: [f"GET {path.format(item)} - " for item in items(sample)]


def players_of(sample: Sample) -> Sequence[UUID]:
    return sample.players


def write_result(game_id: int) -> str:
    return f'{{"game_id":{game_id},"won":true,"guesses":4,"finished":"2023-03-14T19:30:00Z"}}'


def post_bare(sample: Sample, _run: int) -> list[str]:
    return [f"POST /api/bare/users/{player}/games - {write_result(268)}" for player in sample.players]


def post_new(sample: Sample, run: int) -> list[str]:
    """A new result for each player."""
    body = write_result(FIRST_NEW_GAME + run)
    return [f"POST /api/stats/users/{player}/games {sample.service_token} {body}" for player in sample.players]


def post_again(sample: Sample, _run: int) -> list[str]:
    """The same few results in each run; the warm-up stores them, so later runs only repeat them."""
    return post_new(sample, run=0)[:REPEATS]


def guess(sample: Sample, run: int) -> list[str]:
    share = sample.share(run)
    return [
        f'POST /api/games/{sample.game_id}/plays/{player}/guesses {token} {{"attempt":{attempt},"guess":"{word}"}}'
        for attempt, word in enumerate(GUESSES, start=1)
        for player, token in zip(sample.players[share], sample.player_tokens[share], strict=True)
    ]


ENDPOINTS = (
    Endpoint(BARE, get("/api/bare/users/{}", items=players_of)),
    Endpoint("statistics", get("/api/stats/users/{}", items=players_of), target=0.75, is_read=True),
    Endpoint("top ten, wins", get("/api/stats/leaders/wins"), target=0.60, is_read=True),
    Endpoint("top ten, streaks", get("/api/stats/leaders/streaks"), target=0.60, is_read=True),
    Endpoint(
        "around a player, wins", get("/api/stats/leaders/wins?around={}", items=players_of), target=0.40, is_read=True
    ),
    Endpoint(
        "around a player, streaks",
        get("/api/stats/leaders/streaks?around={}", items=players_of),
        target=0.40,
        is_read=True,
    ),
    Endpoint("a word", get("/api/words/{}", items=lambda sample: sample.words), target=0.80),
    Endpoint("today's game", get("/api/games/today")),
    Endpoint(BARE_POST, post_bare, reference=BARE_POST),
    Endpoint("posting a result", post_new, reference=BARE_POST, target=0.40),
    Endpoint("posting it again", post_again, reference=BARE_POST),
    Endpoint("a guess of a play", guess, reference=BARE_POST, target=0.20),
)


def write_scripts(root: Path, endpoint: Endpoint, sample: Sample) -> list[Path]:
    """A wrk script for each run; one for all runs if their requests are the same."""
    name = f"requests-{ENDPOINTS.index(endpoint)}"
    requests = [endpoint.write_requests(sample, run) for run in range(sample.runs)]
    if all(of_run == requests[0] for of_run in requests):
        return [write_script(root, name, requests[0])] * sample.runs
    return [write_script(root, f"{name}-{run}", of_run) for run, of_run in enumerate(requests)]
