"""Replaces several database files atomically: all or none, and each only when it is complete.

New files are staged beside their targets as `.NAME.new`. When all are complete and fsynced, a journal that lists them
is written, which commits the change: after a power cut or kill -9 the next script finishes the renaming. Without a
journal nothing has changed, and staged files are discarded.

Two locks make this safe: an exclusive flock on `.staging.lock`, so that one script works at a time, and SQLite's locks
on the old files, so that none is replaced while a service has it open (`lock_unused`).
"""

import fcntl
import json
import os
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from servicekit.db.sqlite_file import is_busy

LOCK = ".staging.lock"
JOURNAL = ".staging.journal"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InUse(Exception):
    """A database cannot be replaced now; the message says why."""


def staged(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def create_folder(folder: Path) -> None:
    """Creates a missing folder, which only its owner can read, whatever the umask."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)


def create_database(path: Path, schema: Path) -> sqlite3.Connection:
    """Creates a database with the schema of a file in share/, and returns a connection in autocommit mode.

    It is not durable before `seal`, nor need it be: an incomplete file is never renamed to its target.
    """
    create_folder(path.parent)
    path.touch(mode=0o600)  # answers and password hashes are confidential
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(schema.read_text(encoding="utf-8"))
    return connection


@contextmanager
def new_database(path: Path, schema: Path) -> Iterator[sqlite3.Connection]:
    """As `create_database`, within a transaction that is committed at the end of the block; then seals the database.

    Turns an error of SQLite, such as a full disk, into SystemExit with the name of the file.
    """
    try:
        with closing(create_database(path, schema)) as database:
            database.execute("BEGIN")
            yield database
            database.execute("COMMIT")
        seal(path)
    except sqlite3.Error as error:
        raise SystemExit(f"{path} cannot be written ({error}).") from error


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite cannot read the file as a database."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def execute_script(database: sqlite3.Connection, script: str) -> None:
    """Executes the statements within the open transaction, which sqlite3's executescript would commit."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            database.execute(statement)
            statement = ""


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection in autocommit mode to an existing database, also while a service has it open."""
    # Not mode=ro: it would create an empty WAL, and may not remove it.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def seal(path: Path) -> None:
    """Sets WAL mode and fsyncs a complete database; no connection to it may be open."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    sync(path)


def sync(path: Path) -> None:
    """Calls fsync on a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def staging_lock(folder: Path, targets: Sequence[Path]) -> Iterator[None]:
    """Lets one script at a time change the databases; all scripts must name the same folder, wherever the targets are.

    First finishes the renaming of a script that was killed. Discards staged files of the targets at the beginning and
    at the end. Raises InUse if another script holds the lock.
    """
    create_folder(folder)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Another script is changing the databases in {folder}: wait until it has finished.") from None
        _finish_renaming(folder)
        journal = folder / JOURNAL
        _discard_staged([*targets, journal])
        try:
            yield
        finally:
            if not journal.exists():  # otherwise the change is committed, and the next script finishes it
                _discard_staged([*targets, journal])


def replace_databases(targets: Sequence[Path], folder: Path) -> None:
    """Renames every staged file to its target: all of them, even if this process is killed in between.

    The caller holds `staging_lock(folder)` and has sealed the staged files. Raises InUse, before anything changes, if a
    service has one of the targets open.
    """
    for parent in {target.parent for target in targets}:
        sync(parent)
    with signals_ignored(), lock_unused(targets):
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
        with lock_unused(_read_journal(journal)):
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
    """Removes a WAL or journal that was left behind: SQLite would replay it into the next file of that name."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Ignores the signals that stop a script, for the time of the renaming. Main thread only."""
    handlers = {signum: signal.signal(signum, signal.SIG_IGN) for signum in STOP_SIGNALS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


@contextmanager
def lock_unused(paths: Sequence[Path]) -> Iterator[None]:
    """Locks the existing databases exclusively, so that no process can open them. Raises InUse if one is open, and
    SystemExit if SQLite cannot lock it. Keys and damaged databases among the paths are not locked.

    Leaving WAL mode needs all of SQLite's locks on the file. It also removes the WAL, which SQLite would otherwise
    replay into the file that replaces this one.
    """
    with ExitStack() as stack:
        for path in paths:
            if path.exists():
                connection = stack.enter_context(closing(sqlite3.connect(path, timeout=0)))
                try:
                    lock_exclusively(connection, path)
                except sqlite3.DatabaseError as error:  # a key, or a database that no service can use any more
                    if not is_damaged(error):
                        raise
        yield


def refuse_in_use(paths: Sequence[Path]) -> None:
    """Before the work begins: raises as `lock_unused`, and keeps no lock."""
    with lock_unused(paths):
        pass


def lock_exclusively(connection: sqlite3.Connection, path: Path) -> None:
    """Begins an exclusive transaction on a database, and removes its WAL.

    Raises InUse if another process has it open, SystemExit if it cannot be locked for another reason, and
    sqlite3.DatabaseError if it is damaged or no database.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if is_busy(error):
            raise InUse(f"{path} is in use ({error}): stop the services first.") from error
        raise SystemExit(f"{path} cannot be locked ({error}): check its permissions and the disk.") from error
    if mode != "delete":
        raise InUse(f"{path} is in use: stop the services first.")
