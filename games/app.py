"""The games service: `create_app(settings)`, and `app` for uvicorn."""

from functools import partial

from fastapi import FastAPI

from games import queries
from games.dictionary import Dictionary
from games.outbox import Outbox
from games.referee import Referee
from games.routes import router
from games.scoreboard import Scoreboard
from games.settings import Settings
from games.waiting import show_outbox
from servicekit.clock import Clock, read_clock
from servicekit.databases import open_database
from servicekit.metrics import Metrics
from servicekit.service import create_service
from servicekit.tokens import TokenVerifier

DESCRIPTION = """One puzzle a day (UTC), numbered by the days since 2021-06-19.

A player's play is kept here, guess by guess, and its result goes to stats. No endpoint shows an answer to a player
whose play is not over.

Through Traefik, each client address has a token bucket for POST; the addresses of one IPv6 /64 share theirs. At the
defaults 2,000 requests pass at once and then 1,000 a second. More is answered 429 in plain text, and `Retry-After` says
for how many seconds."""


def create_app(settings: Settings, *, clock: Clock = read_clock) -> FastAPI:
    metrics = Metrics()
    answers = open_database(
        settings.answers_url,
        busy_timeout_ms=settings.busy_timeout_ms,
        schema_version=queries.ANSWERS_SCHEMA_VERSION,
        watch_waits=metrics.watch_waits,
    )
    plays = open_database(
        settings.plays_url,
        busy_timeout_ms=settings.busy_timeout_ms,
        schema_version=queries.PLAYS_SCHEMA_VERSION,
        watch_waits=metrics.watch_waits,
    )
    dictionary = Dictionary(settings.words_url, settings.words_timeout_s)
    scoreboard = Scoreboard(settings.stats_url, settings.stats_timeout_s, settings.service_token_file)
    outbox = Outbox(plays, scoreboard)
    show_outbox(metrics, plays)
    app = create_service(
        title="Quintet games",
        description=DESCRIPTION,
        instance=settings.instance or "games",
        router=router,
        databases=[answers, plays],
        token_verifier=TokenVerifier(settings.token_public_key_file),
        checks=[partial(queries.check_answers, answers), partial(queries.check_plays, plays)],
        metrics=metrics,
        resources=[dictionary, scoreboard, outbox],
    )
    app.state.answers = answers
    app.state.clock = clock
    app.state.dictionary = dictionary
    app.state.outbox = outbox
    app.state.plays = plays
    app.state.scoreboard = scoreboard
    app.state.referee = Referee(plays, answers, dictionary, clock)
    return app


def __getattr__(name: str) -> FastAPI:
    """`app` is made when uvicorn asks for it, so that importing this module reads no settings and no disk."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(name)
