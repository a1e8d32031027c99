"""The users service: `create_app(settings)`."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI
from pwdlib import PasswordHash

from servicekit.clock import Clock, read_clock
from servicekit.observability.metrics import Metrics
from servicekit.service import create_service, open_database
from users import queries
from users.logins.oauth_errors import find_oauth_error
from users.logins.passwords import Passwords
from users.problems import TYPES
from users.resources import UsersResources
from users.routes import router
from users.settings import Settings
from users.token_issuer import TokenIssuer

DESCRIPTION = """Who plays: every player has a name, and a random id by which all services know them.

For their password they get a token, which opens what is theirs at every service. A browser stays signed in by a
session: its cookie gives short tokens.

Through Traefik, each client address has a token bucket for registrations, and another one for every other request whose
method is not GET or HEAD; the addresses of one IPv6 /64 share theirs. At the defaults 30 registrations pass at once and
then two a second, 10 others and then one every two seconds. More is answered 429 in plain text, and `Retry-After` says
for how many seconds."""
TAGS = {"users": "Players: their names and ids, passwords, tokens and sessions."}


def create_app(settings: Settings, *, hasher: PasswordHash | None = None, clock: Clock = read_clock) -> FastAPI:
    """Passwords are hashed with Argon2id as `pwdlib` recommends it, unless another hasher is given."""
    metrics = Metrics()
    users = open_database(settings, metrics, settings.database_url, schema_version=queries.SCHEMA_VERSION)
    app = create_service(
        settings,
        metrics,
        name="users",
        description=DESCRIPTION,
        tags=TAGS,
        router=router,
        problem_types=TYPES,
        databases=[users],
        checks=[partial(queries.check_users, users)],
    )
    app.state.find_error_code = find_oauth_error
    app.state.is_behind_tls = settings.behind_tls
    app.state.resources = UsersResources(
        users=users,
        passwords=Passwords(hasher or PasswordHash.recommended()),
        token_issuer=TokenIssuer(settings.token_private_key_file),
        token_lifetime=timedelta(seconds=settings.token_lifetime_s),
        clock=clock,
    )
    return app


def create_app_from_environment() -> FastAPI:
    """The factory that uvicorn is given (servicekit/server.py): importing this module reads no settings."""
    return create_app(Settings())
