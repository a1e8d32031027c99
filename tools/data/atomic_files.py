"""Making databases so that each appears under its name only when it is complete, and several all or none.

New files are built beside their places as `.NAME.new`. When all are complete and on the disk, a journal that lists
them is written: from then on the change has happened, and whoever finds the journal finishes the renaming (a power cut
or kill -9 may have come in between). Before the journal, nothing has happened, and the new files are litter.

What makes it safe: an exclusive flock on `.staging.lock` for the whole time, so one script works at a time; and an old
file is replaced only while no service has it open (see `locked_unused`).
"""

import fcntl
import json
import os
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

LOCK = ".staging.lock"
JOURNAL = ".staging.journal"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InUse(Exception):
    """A database cannot be replaced now; the text says why."""


def staged(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def make_folder(folder: Path) -> None:
    """If it does not exist; only its owner can look into a folder made here, whatever the umask."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)


def create_database(path: Path, schema: Path) -> sqlite3.Connection:
    """A new database with the tables of a file in share/, in autocommit mode and fast rather than safe.

    Nothing is safe before `seal`, and nothing needs to be: an interrupted file never gets its name.
    """
    make_folder(path.parent)
    path.touch(mode=0o600)  # answers, and hashes of passwords, are nobody else's business
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(schema.read_text(encoding="utf-8"))
    return connection


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Raises SystemExit with the file's name for what SQLite says of it, such as a full disk."""
    try:
        yield
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be written ({error}).") from error


def execute_script(database: sqlite3.Connection, script: str) -> None:
    """Runs statements one by one inside the transaction that is open, which sqlite3's executescript would commit."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            database.execute(statement)
            statement = ""


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to a database that exists, as a running service leaves it."""
    # Not mode=ro: it would leave an empty WAL behind, which it may not take away.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def seal(path: Path) -> None:
    """Puts a finished database into WAL mode and on the disk; no connection may be open."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    sync(path)


def sync(path: Path) -> None:
    """Returns when a file's or folder's contents are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(folder: Path, targets: Sequence[Path]) -> Iterator[None]:
    """One script at a time works on the databases, which may lie elsewhere; all scripts must name the same folder.

    What an earlier one left half renamed is finished, and what is staged for the targets is thrown away, at the
    beginning (an earlier script was killed) and at the end. Raises InUse if another script is at work.
    """
    make_folder(folder)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Another script is working on the databases in {folder}: wait until it has ended.") from None
        _finish_renaming(folder)
        journal = folder / JOURNAL
        _discard_staged([*targets, journal])
        try:
            yield
        finally:
            if not journal.exists():  # else they are complete, and the next script puts them in place
                _discard_staged([*targets, journal])


def replace_databases(targets: Sequence[Path], folder: Path) -> None:
    """Puts every staged file in its target's place: all of them, even if this process is killed half-way.

    Inside `exclusive(folder)`; the staged files are sealed. Raises InUse, with nothing replaced, if a service has one
    of the targets open.
    """
    for parent in {target.parent for target in targets}:
        sync(parent)
    with uninterrupted(), locked_unused(targets):
        journal = folder / JOURNAL
        draft = staged(journal)
        draft.write_text(json.dumps([str(target.absolute()) for target in targets]), encoding="utf-8")
        sync(draft)
        draft.rename(journal)
        sync(folder)
        _rename_listed(journal)


def _finish_renaming(folder: Path) -> None:
    journal = folder / JOURNAL
    if journal.exists():
        with locked_unused(_read_journal(journal)):
            _rename_listed(journal)


def _rename_listed(journal: Path) -> None:
    for target in _read_journal(journal):
        if staged(target).exists():
            _remove_sidecars(target)
            staged(target).rename(target)
            sync(target.parent)
    journal.unlink()
    sync(journal.parent)


def _read_journal(journal: Path) -> list[Path]:
    return [Path(name) for name in json.loads(journal.read_text(encoding="utf-8"))]


def _discard_staged(targets: Sequence[Path]) -> None:
    for target in targets:
        staged(target).unlink(missing_ok=True)
        _remove_sidecars(staged(target))


def _remove_sidecars(path: Path) -> None:
    """Takes away what a database that was deleted or killed left beside its name: SQLite would replay a WAL or a
    journal into whatever file has that name next."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """For the moment in which the files get their names: a signal that comes then is ignored. Main thread only."""
    handlers = {signum: signal.signal(signum, signal.SIG_IGN) for signum in STOP_SIGNALS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


@contextmanager
def locked_unused(paths: Sequence[Path]) -> Iterator[None]:
    """Holds databases that no process has open, so that none can open them either; those that are missing are passed.

    Raises InUse if one is open. Leaving WAL mode takes all of SQLite's locks on the file, and it takes the WAL away,
    which must not outlive its file: it would be replayed into the one that comes into its place.
    """
    with ExitStack() as stack:
        for path in paths:
            if path.exists():
                with suppress(sqlite3.DatabaseError):  # no database at all: no service can be using it
                    lock_exclusively(stack.enter_context(closing(sqlite3.connect(path, timeout=0))), path)
        yield


def lock_exclusively(connection: sqlite3.Connection, path: Path) -> None:
    """Begins a transaction that keeps every other process out of the database, which is left without a WAL.

    Raises InUse if another process has it open, and sqlite3.DatabaseError if it is no database.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise InUse(f"{path} is in use ({error}): stop the services first.") from error
    if mode != "delete":
        raise InUse(f"{path} is in use: stop the services first.")
