"""The games service: `create_app(settings)`."""

from functools import partial

from fastapi import FastAPI

from games import queries
from games.clients.stats_client import StatsClient
from games.clients.words_client import WordsClient
from games.outbox import Outbox
from games.outbox_metrics import show_outbox
from games.problems import TYPES
from games.resources import GamesResources
from games.routes import router
from games.settings import Settings
from servicekit.clock import Clock, read_clock
from servicekit.observability.metrics import Metrics
from servicekit.service import create_service, open_database

DESCRIPTION = """One puzzle a day (UTC), numbered by the days since 2021-06-19.

A player's play is kept here, guess by guess, and its result goes to stats. No endpoint shows an answer to a player
whose play is not over.

Through Traefik, each client address has a token bucket for POST; the addresses of one IPv6 /64 share theirs. At the
defaults 2,000 requests pass at once and then 1,000 a second. More is answered 429 in plain text, and `Retry-After` says
for how many seconds."""
TAGS = {"games": "The puzzles, one a day.", "plays": "What a player has guessed of a puzzle."}


def create_app(settings: Settings, *, clock: Clock = read_clock) -> FastAPI:
    metrics = Metrics()
    answers = open_database(settings, metrics, settings.answers_url, schema_version=queries.ANSWERS_SCHEMA_VERSION)
    plays = open_database(settings, metrics, settings.plays_url, schema_version=queries.PLAYS_SCHEMA_VERSION)
    words_client = WordsClient(settings.words_url, settings.words_timeout_s)
    stats_client = StatsClient(settings.stats_url, settings.stats_timeout_s, settings.service_token_file)
    outbox = Outbox(plays, stats_client)
    show_outbox(metrics, plays)
    app = create_service(
        settings,
        metrics,
        name="games",
        description=DESCRIPTION,
        tags=TAGS,
        router=router,
        problem_types=TYPES,
        databases=[answers, plays],
        checks=[partial(queries.check_answers, answers), partial(queries.check_plays, plays)],
        resources=[words_client, stats_client, outbox],
    )
    app.state.resources = GamesResources(
        answers=answers,
        plays=plays,
        words_client=words_client,
        stats_client=stats_client,
        outbox=outbox,
        clock=clock,
    )
    return app


def create_app_from_environment() -> FastAPI:
    """The factory that uvicorn is given (servicekit/server.py): importing this module reads no settings."""
    return create_app(Settings())
