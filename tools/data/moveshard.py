"""bin/moveshard: moves a database from one PostgreSQL server to another while services write to it.

The services' URL names both servers, and a fence (fences.py) sees to it that they can write to one of them only:

1. The new server, whose database is fenced, gets the tables, and a subscription copies the rows and all further changes
   (replication.py).
2. The old database is fenced. When no connection attempt from before the fence is under way any more, the sessions that
   can still write are ended. No write is acknowledged from now on.
3. When the last change has arrived, the rows on both servers are counted.
4. One transaction on the new server drops the subscription and opens the database: the move is done. The services'
   next connections lead there.

An interruption before step 4 opens the old database again, and empties the new one. What `kill -9` leaves is found by
the subscription that is still there: the next run undoes it, and starts again. After step 4 it only tidies up.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from servicekit.settings import POSTGRES_URL, ServiceSettings, hide_password
from tools.config.paths import ROOT, read_data_paths
from tools.data.atomic_files import InUse, signals_ignored
from tools.data.fences import end_sessions, fence, unfence_statement
from tools.data.locked_databases import LOCK_NOT_AVAILABLE
from tools.data.move_checks import Move, find_move, has_moved, list_hosts, refuse_unsuitable
from tools.data.replication import (
    DROP_SUBSCRIPTION,
    catch_up,
    count_rows,
    has_subscription,
    list_tables,
    remove_publication,
    start,
    wait_for_copy,
)
from tools.data.server_connections import ServerConnection, Unusable, connected
from tools.data.server_databases import SERVER_SCHEMAS, continue_identities, drop_tables
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Moves one database, a shard or another one, to another PostgreSQL server by logical replication. The services
go on; their writes to it are refused (503) for a moment at the end. Before that, its URL in .env has to name both
servers. docs/operating.md lists all steps. An interruption leaves the old database in use."""
LOCK = """
SET client_connection_check_interval = 1000;
SET lock_timeout = 5000;
SELECT pg_advisory_lock(hashtextextended('quintet move', 0));
SET lock_timeout = 0
"""
"""Of the session, which ends within a second after bin/moveshard, also in the middle of a statement."""
CATCH_UP_S = 3.0
"""The longest wait for the last changes. Before it, the new server has been up to date already."""
MARGIN_S = 0.5
"""Added to the time limit of the services' connection attempts."""


@contextmanager
def locked(url: str) -> Iterator[ServerConnection]:
    """Raises InUse if another bin/moveshard works on the database."""
    with connected(url) as server:
        try:
            server.execute(LOCK)
        except Unusable as error:
            if getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise InUse(f"Another bin/moveshard works on {server.name}: wait until it has ended.") from error
            raise
        yield server


def prepare(move: Move) -> bool:
    """Whether there is anything to move: False if that has been done. Undoes an interrupted move first."""
    with locked(move.source) as old, locked(move.target) as new:
        undo(move, old, new)
        if has_moved(move):
            return False
        refuse_unsuitable(move, old, new)
    return True


def undo(move: Move, old: ServerConnection, new: ServerConnection) -> None:
    """Unless the move is done; then only what is left on the old server is removed."""
    if has_subscription(new):
        old.execute(unfence_statement(move.source, move.role))
        new.execute(f"BEGIN; {DROP_SUBSCRIPTION}")
        new.run(drop_tables)
        new.execute("COMMIT")
    remove_publication(old)


def transfer(move: Move) -> tuple[int, float]:
    """Returns the number of rows, and for how many seconds there were no writes."""
    with locked(move.source) as old, locked(move.target) as new:
        schema = (SERVER_SCHEMAS / move.schema).read_text(encoding="utf-8")
        start(old, new, schema=schema, role=move.role)
        wait_for_copy(new)
        new.execute(f"VACUUM (ANALYZE) {', '.join(list_tables(new))}")
        catch_up(old)
        fenced_at = fence(old, move.role)
        time.sleep(ServiceSettings().busy_timeout_ms / 1000 + MARGIN_S)  # connection attempts from before it end
        began = time.monotonic()
        end_sessions(old, move.role, fenced_at)
        rows = compare(old, new)
        with signals_ignored():
            new.run(continue_identities)
            new.execute(f"BEGIN; {DROP_SUBSCRIPTION}; {unfence_statement(move.target, move.role)}; COMMIT")
            seconds = time.monotonic() - began
            remove_publication(old)
    return rows, seconds


def compare(old: ServerConnection, new: ServerConnection) -> int:
    """Waits for the last changes, and returns the number of rows. Raises SystemExit if it differs."""
    if not catch_up(old, limit_s=CATCH_UP_S):
        raise SystemExit(
            f"The last changes did not arrive within {CATCH_UP_S:.0f} s, so {old.name} stays in use: try again when"
            " there are fewer writes."
        )
    on_old, on_new = count_rows(old), count_rows(new)
    if on_old != on_new:
        raise SystemExit(f"{new.name} has {on_new} rows, and {old.name} {on_old}, which stays in use.")
    return sum(on_new.values())


def transfer_or_undo(move: Move) -> tuple[int, float]:
    """As `transfer`. After any exception the old database is in use, unless the move was done before."""
    try:
        return transfer(move)
    except BaseException:
        try:
            with signals_ignored(), locked(move.source) as old, locked(move.target) as new:
                undo(move, old, new)
        except (SystemExit, InUse) as error:
            raise SystemExit(f"{error} What is half done could not be undone: run bin/moveshard again.") from error
        raise


def parse_url(text: str) -> str:
    if not POSTGRES_URL.fullmatch(text) or len(list_hosts(text)) > 1:
        raise argparse.ArgumentTypeError("should be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with one host")
    return text


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/moveshard", description=HELP, formatter_class=HelpFormatter)
    for option, server in (("--from", "old"), ("--to", "new")):
        text = f"URL of a superuser for the database on the {server} server"
        parser.add_argument(option, dest=server, type=parse_url, required=True, metavar="URL", help=text)
    arguments = parser.parse_args(argv)
    os.chdir(ROOT)
    move = find_move(read_data_paths(), arguments.old, arguments.new)
    target = hide_password(move.target)
    if prepare(move):
        rows, seconds = transfer_or_undo(move)
        print(f"Moved {count(rows, 'row')} to {target}; there were no writes for {seconds:.2f} s.")
    else:
        print(f"Services write to {target} already.")
    print("Now leave only that host in the URL, in .env on every machine, run bin/restart, and drop the old database.")
    return 0


if __name__ == "__main__":
    run_script(main)
