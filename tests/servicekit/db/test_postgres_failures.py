"""What a PostgreSQL server may do to a service: be away, frozen, fenced, full, or in conflict with another."""

import asyncio
import random
import socket
import subprocess
import sys
import time
from functools import partial

import pytest

from servicekit.db.database import Database
from servicekit.db.moves import INCOMPLETE, MOVED
from servicekit.db.postgres import connections
from servicekit.db.transaction import Transaction
from servicekit.problems import DatabaseBusy, DatabaseUnavailable
from tests.support.ledger import LEDGER, add_amount, add_entry
from tests.support.polling import wait_until
from tests.support.postgres_ledger import PostgresLedger
from tests.support.postgres_server import find_free_port

pytestmark = pytest.mark.anyio

CANCELLATIONS = 1200
AT_ONCE = 10


async def read_total(database: Database) -> int:
    return int(await database.fetch_val("SELECT amount FROM total"))


async def assert_works(database: Database, ledger: PostgresLedger, first: int) -> None:
    """50 writes succeed at once, and no connection is left in a transaction."""
    await asyncio.gather(*(add_entry(database, number) for number in range(first, first + 50)))
    assert set(range(first, first + 50)) <= ledger.numbers()


@pytest.mark.slow
async def test_random_cancellations_leave_no_transaction_open(postgres_ledger: PostgresLedger) -> None:
    rng = random.Random(20210619)  # noqa: S311 - moments, not secrets
    acknowledged: set[int] = set()

    async def add_and_read(number: int) -> None:
        await add_entry(database, number)
        acknowledged.add(number)
        await read_total(database)

    cancelled = 0
    async with postgres_ledger.open() as database:
        start = 0
        while cancelled < CANCELLATIONS:
            tasks = [asyncio.create_task(add_and_read(number)) for number in range(start, start + AT_ONCE)]
            start += AT_ONCE
            for task in rng.sample(tasks, len(tasks)):
                await asyncio.sleep(rng.random() * 0.003)
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} <= {asyncio.CancelledError, type(None)}
            cancelled += sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        await assert_works(database, postgres_ledger, start)
        assert acknowledged <= postgres_ledger.numbers()


async def test_ended_connections_are_replaced(postgres_ledger: PostgresLedger) -> None:
    async with postgres_ledger.open() as database:
        await asyncio.gather(*(add_entry(database, number) for number in range(8)))
        postgres_ledger.server.end_connections(postgres_ledger.name)
        await asyncio.sleep(0.1)  # until the event loop has seen the closed sockets
        await assert_works(database, postgres_ledger, 8)


async def test_connection_ended_in_a_transaction_is_unavailable(postgres_ledger: PostgresLedger) -> None:
    async def write_and_lose(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        await asyncio.to_thread(postgres_ledger.server.end_connections, postgres_ledger.name)
        await transaction.fetch_val("SELECT amount FROM total")

    async with postgres_ledger.open() as database:
        with pytest.raises(DatabaseUnavailable, match="no connection to its server"):
            await database.write(write_and_lose, lock=LEDGER)
        assert postgres_ledger.numbers() == set()
        await assert_works(database, postgres_ledger, 2)


async def test_frozen_server_is_unavailable_within_the_time_limit(postgres_ledger: PostgresLedger) -> None:
    async with postgres_ledger.open(busy_timeout_ms=1500) as database:
        await add_entry(database, 1)
        with postgres_ledger.server.frozen():
            began = time.monotonic()
            outcomes = await asyncio.gather(
                *(add_entry(database, 2) for _ in range(6)),
                *(read_total(database) for _ in range(6)),
                return_exceptions=True,
            )
            assert time.monotonic() - began < 4
        assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
        await assert_works(database, postgres_ledger, 3)


async def test_connection_that_ends_between_two_round_trips_is_unavailable(postgres_ledger: PostgresLedger) -> None:
    """The answer to a statement's first round trip and the end of its time are found in one step of the event loop."""

    async def read_late(transaction: Transaction) -> None:
        reading = asyncio.create_task(transaction.fetch_val("SELECT entries FROM tally"))
        await asyncio.sleep(0)  # it has been sent
        time.sleep(1.1)  # noqa: ASYNC251 - as a process that gets no processor time
        await reading

    async with postgres_ledger.open(busy_timeout_ms=1000) as database:
        with pytest.raises(DatabaseUnavailable, match="takes too long"):
            await database.write(read_late, lock=LEDGER)
        await add_entry(database, 1)
    assert postgres_ledger.numbers() == {1}


async def test_commit_that_takes_too_long_is_not_cancelled_on_the_server(postgres_ledger: PostgresLedger) -> None:
    """A cancelled commit would be visible although a standby lacks it; here the server itself is slow to commit."""
    server, name = postgres_ledger.server, postgres_ledger.name
    server.execute(
        "CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.9); RETURN NULL; END'",
        "CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION be_slow()",
        database=name,
    )
    async with postgres_ledger.open(busy_timeout_ms=500) as database:
        with pytest.raises(DatabaseUnavailable, match="takes too long"):
            await add_entry(database, 1)
        while server.fetch("SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert postgres_ledger.numbers() == {1}  # it took its course: the client's repetition finds it


async def test_fenced_database_refuses_and_then_works_again(postgres_ledger: PostgresLedger) -> None:
    async with postgres_ledger.open() as database:
        await add_entry(database, 1)
        with postgres_ledger.server.fenced(postgres_ledger.name):
            await asyncio.sleep(0.1)
            for use in (add_entry(database, 2), read_total(database)):
                with pytest.raises(DatabaseUnavailable, match="takes no writes now"):
                    await use
        await assert_works(database, postgres_ledger, 3)


async def test_server_that_becomes_read_only_is_unavailable(postgres_ledger: PostgresLedger) -> None:
    """As a leader that was demoted while connections were open: they are replaced afterwards."""
    async with postgres_ledger.open() as database:
        await add_entry(database, 1)

        async def write_read_only(transaction: Transaction) -> None:
            await transaction.execute("SET TRANSACTION READ ONLY")
            await add_amount(transaction, number=2, amount=1)

        with pytest.raises(DatabaseUnavailable, match="takes no writes now"):
            await database.write(write_read_only, lock=LEDGER)
        await assert_works(database, postgres_ledger, 3)


async def test_lock_held_by_another_transaction_is_busy(postgres_ledger: PostgresLedger) -> None:
    async with postgres_ledger.open(busy_timeout_ms=400) as database, postgres_ledger.open() as other:
        held, free = asyncio.Event(), asyncio.Event()

        async def hold(_transaction: Transaction) -> None:
            held.set()
            await free.wait()

        holder = asyncio.create_task(other.write(hold, lock=LEDGER))
        await held.wait()
        with pytest.raises(DatabaseBusy, match="another transaction holds the lock"):
            await add_entry(database, 1)
        await database.write(lambda transaction: transaction.fetch_val("SELECT 1"), lock=("another",))
        free.set()
        await holder
        await add_entry(database, 1)
    assert postgres_ledger.numbers() == {1}


async def test_deadlock_is_resolved_by_another_attempt(postgres_ledger: PostgresLedger) -> None:
    async with postgres_ledger.open() as database:
        await asyncio.gather(add_entry(database, 1), add_entry(database, 2))
        both_began = asyncio.Barrier(2)
        attempts = 0

        async def update_in_order(transaction: Transaction, *, first: int, second: int) -> None:
            nonlocal attempts
            attempts += 1
            update = "UPDATE entries SET amount = amount + 1 WHERE number = :number"
            await transaction.execute(update, {"number": first})
            if attempts <= 2:
                await both_began.wait()
            await transaction.execute(update, {"number": second})

        await asyncio.gather(
            database.write(partial(update_in_order, first=1, second=2), lock=()),
            database.write(partial(update_in_order, first=2, second=1), lock=()),
        )
        assert attempts == 3
        assert await database.fetch_val("SELECT SUM(amount) FROM entries") == 6


async def test_swallowed_statement_error_does_not_pass_for_a_commit(postgres_ledger: PostgresLedger) -> None:
    async def swallow(transaction: Transaction) -> None:
        await add_amount(transaction, number=1, amount=1)
        try:
            await transaction.execute("SELECT 1 / 0")
        except Exception:
            return

    async with postgres_ledger.open() as database:
        with pytest.raises(RuntimeError, match="was rolled back"):
            await database.write(swallow, lock=LEDGER)
    assert postgres_ledger.numbers() == set()


async def test_server_that_is_away_is_unavailable(postgres_ledger: PostgresLedger) -> None:
    url = f"postgresql://quintet@127.0.0.1:{find_free_port()}/games0"
    async with Database(url, busy_timeout_ms=1000, schema_version=1) as database:
        with pytest.raises(DatabaseUnavailable) as caught:
            await read_total(database)
    assert caught.value.detail == (
        "The database games0 does not answer (there is no connection to its server). Try again later."
    )


async def test_missing_database_or_tables_are_named(postgres_ledger: PostgresLedger) -> None:
    for name in ("nowhere", "postgres"):
        url = postgres_ledger.server.url(name)
        async with Database(url, busy_timeout_ms=1000, schema_version=1) as database:
            with pytest.raises(DatabaseUnavailable, match="make them with bin/init"):
                await read_total(database)


@pytest.mark.parametrize(("stored", "is_accepted"), [(1, False), (2, True), (3, True), (4, False)])
async def test_schema_may_be_one_version_ahead(postgres_ledger: PostgresLedger, stored: int, is_accepted: bool) -> None:
    postgres_ledger.server.execute(f"UPDATE schema_version SET version = {stored}", database=postgres_ledger.name)  # noqa: S608
    async with Database(postgres_ledger.url, busy_timeout_ms=1000, schema_version=2) as database:
        if is_accepted:
            assert await read_total(database) == 0
        else:
            with pytest.raises(DatabaseUnavailable, match=f"schema version {stored}, and this service needs 2"):
                await read_total(database)


@pytest.mark.parametrize(("mark", "sentence"), [(MOVED + 7, "has been moved"), (INCOMPLETE + 7, "is incomplete")])
async def test_moved_and_incomplete_databases_are_refused(
    postgres_ledger: PostgresLedger, mark: int, sentence: str
) -> None:
    postgres_ledger.server.execute(f"UPDATE schema_version SET version = {mark}", database=postgres_ledger.name)  # noqa: S608 - a number
    async with Database(postgres_ledger.url, busy_timeout_ms=1000, schema_version=2) as database:
        with pytest.raises(DatabaseUnavailable, match=sentence):
            await read_total(database)


def count_connections(ledger: PostgresLedger) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = 'quintet'"
    return int(ledger.server.fetch(query, ledger.name)[0][0])


async def test_pool_opens_as_many_connections_as_it_may(postgres_ledger: PostgresLedger) -> None:
    async with Database(postgres_ledger.url, busy_timeout_ms=5000, schema_version=1, connections=2) as database:
        assert count_connections(postgres_ledger) == 0
        await asyncio.gather(*(database.fetch_val("SELECT pg_sleep(0.05)") for _ in range(8)))
        assert count_connections(postgres_ledger) == 2


async def test_connections_that_are_not_used_are_closed(
    postgres_ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_LIFETIME_S", 0.1)
    async with postgres_ledger.open() as database:
        await add_entry(database, 1)
        await asyncio.to_thread(wait_until, lambda: count_connections(postgres_ledger) == 0)
        await assert_works(database, postgres_ledger, 2)


async def test_of_several_hosts_the_one_that_answers_is_used(postgres_ledger: PostgresLedger) -> None:
    """A frozen machine accepts connections and says nothing, as a socket that is never read."""
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        ports = (find_free_port(), frozen.getsockname()[1], postgres_ledger.server.port)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        url = f"postgresql://quintet:secret@{hosts}/{postgres_ledger.name}"
        async with Database(url, busy_timeout_ms=2000, schema_version=1) as database:
            began = time.monotonic()
            await add_entry(database, 1)
            assert time.monotonic() - began < 1
            assert database.name == postgres_ledger.name
    assert postgres_ledger.numbers() == {1}


async def test_mistake_in_a_statement_is_no_outage(postgres_ledger: PostgresLedger) -> None:
    async with postgres_ledger.open() as database:
        with pytest.raises(Exception, match="does not exist") as caught:
            await database.fetch_one("SELECT amuont FROM total")
        assert not isinstance(caught.value, DatabaseUnavailable)
        await add_entry(database, 1)


def test_sqlite_imports_nothing_of_postgresql() -> None:
    code = (
        "import sys, stats.app, users.app, words.app, games.app\n"
        "from stats.settings import Settings\n"
        "stats.app.create_app(Settings(_env_file=None))\n"
        "assert not [name for name in sys.modules if name.startswith(('asyncpg', 'servicekit.db.postgres'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."})
