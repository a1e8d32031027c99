"""The logical replication that copies a database to another server, and each further change after the copy.

The old server has a publication and a replication slot, the new one a subscription, which is made in one transaction
with the tables and dropped in one with what ends the move. So as long as there is one, the tables of the new server
belong to a move that is not finished. Both transactions are possible because the subscription does not manage its slot.
"""

import time
from math import inf

from tqdm import tqdm

from tools.data.fences import POLL_S, quote
from tools.data.server_connections import ServerConnection
from tools.data.server_databases import TABLES

NAME = "quintet_move"
"""Of the publication, the slot and the subscription."""
HAS_SUBSCRIPTION = f"""
SELECT EXISTS (
    SELECT FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid
    WHERE subname = '{NAME}' AND datname = current_database()
)
"""  # noqa: S608 - a name of ours, as below
DROP_SUBSCRIPTION = f"""
ALTER SUBSCRIPTION {NAME} DISABLE;
ALTER SUBSCRIPTION {NAME} SET (slot_name = NONE);
DROP SUBSCRIPTION {NAME}
"""
"""In an open transaction. Its workers have ended when it returns."""
COPIED_TABLES = "SELECT count(*) FILTER (WHERE srsubstate = 'r'), count(*) FROM pg_subscription_rel"
FLUSH = "BEGIN; SET LOCAL synchronous_commit = local; SELECT pg_logical_emit_message(true, 'quintet', ''); COMMIT"
"""Writes a commit to the disk, and so all earlier ones, also where the server does not wait for that."""
HAS_ARRIVED = f"""
SELECT EXISTS (
    SELECT FROM pg_replication_slots WHERE slot_name = '{NAME}' AND confirmed_flush_lsn >= $1::text::pg_lsn
)
"""  # noqa: S608 - a name of ours
REMOVE_SLOT = f"""
SELECT CASE WHEN active THEN pg_terminate_backend(active_pid)::text ELSE pg_drop_replication_slot(slot_name)::text END
FROM pg_replication_slots WHERE slot_name = '{NAME}' AND database = current_database()
"""  # noqa: S608 - a name of ours


def list_tables(server: ServerConnection) -> list[str]:
    return sorted(table for (table,) in server.fetch(TABLES))


def has_subscription(new: ServerConnection) -> bool:
    return bool(new.fetch(HAS_SUBSCRIPTION)[0][0])


def start(old: ServerConnection, new: ServerConnection, *, schema: str, role: str) -> None:
    """Makes the tables of the schema, which is SQL and ends with a semicolon, and begins to copy. The role owns them.

    Raises SystemExit if the old database has other tables: they might have no primary key, without which PostgreSQL
    would refuse to change their rows.
    """
    new.execute(f"BEGIN; SET LOCAL ROLE {quote(role)}; {schema} DELETE FROM schema_version; RESET ROLE")  # noqa: S608 - our schema
    if others := sorted(set(list_tables(old)) ^ set(list_tables(new))):
        raise SystemExit(f"{old.name} has other tables than Quintet makes: move or drop {', '.join(others)} first.")
    old.execute(f"CREATE PUBLICATION {NAME} FOR ALL TABLES")
    old.fetch(f"SELECT pg_create_logical_replication_slot('{NAME}', 'pgoutput')")
    source = old.url.replace("'", "''")
    new.execute(
        f"CREATE SUBSCRIPTION {NAME} CONNECTION '{source}' PUBLICATION {NAME} WITH (create_slot = false); COMMIT"
    )


def wait_for_copy(new: ServerConnection) -> None:
    """Until every table has its rows, and follows the changes on the old server."""
    tables = new.fetch(COPIED_TABLES)[0][1]
    with tqdm(total=tables, desc="bin/moveshard", unit=" tables", leave=False, disable=None) as bar:
        while bar.n < tables:
            time.sleep(POLL_S)
            bar.n = new.fetch(COPIED_TABLES)[0][0]
            bar.refresh()


def catch_up(old: ServerConnection, *, limit_s: float = inf) -> bool:
    """Waits until all that has been committed is on the disk of the new server. False if it takes longer."""
    deadline = time.monotonic() + limit_s
    old.execute(FLUSH)
    ((position,),) = old.fetch("SELECT pg_current_wal_lsn()::text")
    while not old.fetch(HAS_ARRIVED, position)[0][0]:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def count_rows(server: ServerConnection) -> dict[str, int]:
    """By table."""
    return {table: server.fetch(f"SELECT count(*) FROM {table}")[0][0] for table in list_tables(server)}  # noqa: S608 - names of ours


def remove_publication(old: ServerConnection) -> None:
    """With the slot, for which the server would keep its WAL; does nothing without one. A connection from the new
    server may still be ending, but no other one is made: there is no subscription."""
    while old.fetch(REMOVE_SLOT):
        time.sleep(POLL_S)
    old.execute(f"DROP PUBLICATION IF EXISTS {NAME}")
