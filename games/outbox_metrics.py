"""How many results are on their way to stats, among the metrics."""

import math

from prometheus_client import Gauge

from games import queries
from servicekit.db.database import Database
from servicekit.observability.metrics import Metrics
from servicekit.problems import DatabaseUnavailable


def show_outbox(metrics: Metrics, plays: Database) -> None:
    """From now on each scrape counts them; they are NaN if the database does not answer."""
    results = Gauge(
        "quintet_outbox_results",
        "Results that are in the outbox: waiting for stats, or refused by it for good",
        ["state"],
        registry=metrics.registry,
    )

    async def count() -> None:
        try:
            waiting, refused = map(float, await queries.count_results(plays))
        except DatabaseUnavailable:
            waiting, refused = math.nan, math.nan
        results.labels("waiting").set(waiting)
        results.labels("refused").set(refused)

    metrics.before_scrape.append(count)
