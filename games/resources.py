"""What the routes of games work with."""

from dataclasses import dataclass

from games.clients.stats_client import StatsClient
from games.clients.words_client import WordsClient
from games.outbox import Outbox
from servicekit.clock import Clock
from servicekit.db.database import Database


@dataclass(frozen=True, slots=True)
class GamesResources:
    """Made by `create_app`; they live as long as the app."""

    answers: Database
    plays: Database
    words_client: WordsClient
    stats_client: StatsClient
    outbox: Outbox
    clock: Clock
