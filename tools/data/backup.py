"""bin/backup: copies all databases and keys as of one instant, while the services run."""

import argparse
import fcntl
import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from tqdm import tqdm

from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data.atomic_files import signals_ignored, staging_lock, sync
from tools.data.database_readers import Servers
from tools.data.existing_data import IF_MISSING, exists, refuse_interrupted_restore
from tools.data.existing_data import describe as list_names
from tools.data.manifest import FORMAT, MANIFEST, Manifest, describe, locate_copies
from tools.data.server_connections import ServerConnection, connected
from tools.data.server_dumps import dump, find_program
from tools.data.snapshots import consistent_snapshot
from tools.data.verify import Findings, print_differences, verify
from tools.script import run_script
from tools.wording import HelpFormatter, count
from users.token_issuer import write_secret

HELP = """Copies a consistent snapshot of all databases, and the keys, into a new folder, also while the services run,
whose writes wait for milliseconds. Databases on PostgreSQL are copied by pg_dump, of the path or of PG_BIN. The
folder gets its name when it is complete, fsynced and checked like bin/verify: a difference makes the exit status 1,
and leaves no folder; a result that stats has refused is only listed. Only its owner can read the folder, since the
keys in it can sign tokens."""
DIR_HELP = "the new folder, in an existing one; it may exist if it is empty"

UNFINISHED = ".quintet-backup-"
"""The prefix of the name of a folder that is being filled, beside the target."""


def refuse_occupied(target: Path) -> None:
    """Raises SystemExit if the target cannot be created."""
    if not target.parent.is_dir():
        raise SystemExit(f"{target.parent}, the parent of the backup, is not a folder.")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise SystemExit(f"{target} exists already, and is not an empty folder: nothing was changed.")


def refuse_missing(data_paths: DataPaths) -> None:
    """Raises SystemExit if a database or key is missing."""
    refuse_interrupted_restore(data_paths)
    if missing := [path for path in (*data_paths.all, *data_paths.keys) if not exists(data_paths, path)]:
        raise SystemExit(f"{list_names(data_paths, missing)} is missing, so nothing was backed up: {IF_MISSING}.")


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError if another process holds the lock, which the kernel releases when that process exits."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def remove_abandoned(parent: Path) -> None:
    """Removes what killed backups of this user left behind.

    Files, links and other users' folders of such a name are kept: the parent may be writable for others.
    """
    for folder in parent.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError, BlockingIOError):  # just completed, or in use by another backup
            status = folder.lstat()
            is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
            # A complete backup that was renamed to such a name is kept, too.
            if is_own and not (folder / MANIFEST).exists():
                with folder_lock(folder):
                    shutil.rmtree(folder)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill. It is renamed to the target at the end of the block, and removed after an exception."""
    with ExitStack() as stack:
        folder = create_locked(target.parent, stack)
        try:
            yield folder
            sync(folder)
            with signals_ignored():
                folder.rename(target)
                sync(target.parent)
        except BaseException:
            remove_failed(folder)
            raise


def create_locked(parent: Path, stack: ExitStack) -> Path:
    """Tries again if another backup took the folder for an abandoned one before it was locked."""
    while True:
        folder = parent / f"{UNFINISHED}{token_hex(8)}"
        folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError, BlockingIOError):
            stack.enter_context(folder_lock(folder))
            if folder.exists():
                return folder


def remove_failed(folder: Path) -> None:
    """Does not raise, since the failure of the backup is yet to be reported."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:  # it has its final name already
        pass
    except OSError as error:
        print(f"{folder} cannot be removed ({error}): remove it, since its keys can sign tokens.", file=sys.stderr)


def connect_all(copies: DataPaths, stack: ExitStack) -> dict[Path, ServerConnection]:
    return {path: stack.enter_context(connected(url)) for path, url in copies.on_servers.items()}


def copy_all(data_paths: DataPaths, copies: DataPaths, servers: Servers) -> datetime:
    """Copies databases and keys. Returns the time of the snapshot, which the connections of `servers` go on to see."""
    pg_dump = find_program("pg_dump", servers.values()) if servers else None
    with ExitStack() as stack:
        with staging_lock(data_paths.folder, []):  # no script replaces a file until the snapshot is taken
            refuse_missing(data_paths)
            sources = stack.enter_context(consistent_snapshot(data_paths.files, servers.values()))
            taken_at = datetime.now(UTC).replace(microsecond=0)
            for key, copy in zip(data_paths.keys, copies.keys, strict=True):
                write_secret(copy, key.read_bytes())
                sync(copy)
        pairs = list(zip(data_paths.all, copies.all, strict=True))
        for path, copy in tqdm(pairs, unit=" databases", leave=False, disable=None):
            copy.touch(mode=0o600)
            if pg_dump is not None and copy in servers:
                dump(pg_dump, servers[copy], copy)
            else:
                copy_database(sources[path], copy)
            sync(copy)
    return taken_at


def copy_database(source: sqlite3.Connection, path: Path) -> None:
    """Copies what the source's transaction sees into one file without a WAL."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def check_copies(copies: DataPaths, servers: Servers) -> Findings:
    """Checks the copies of files, and on servers the snapshots that were dumped.

    Prints the differences that verify finds, and raises SystemExit if there are any.
    """
    findings = verify(copies, servers)
    print_differences(findings)
    if findings.damage:
        raise SystemExit(
            f"The databases have {count(findings.damage, 'difference')}, listed above, so there is no backup."
        )
    return findings


def back_up(data_paths: DataPaths, target: Path) -> Manifest:
    """Raises SystemExit with a sentence, or InUse; then there is no backup."""
    refuse_occupied(target)
    remove_abandoned(target.parent)
    with new_folder(target) as folder, ExitStack() as stack:
        copies = locate_copies(folder, data_paths)
        servers = connect_all(copies, stack)
        taken_at = copy_all(data_paths, copies, servers)
        findings = check_copies(copies, servers)
        manifest = Manifest(
            format=FORMAT,
            taken_at=taken_at,
            shards=len(data_paths.shards),
            players=findings.users,
            games=findings.games,
            files=tuple(describe(path) for path in (*copies.all, *copies.keys)),
        )
        write_secret(folder / MANIFEST, f"{manifest.model_dump_json(indent=2)}\n".encode())
        sync(folder / MANIFEST)
    return manifest


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/backup", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument("target", type=Path, metavar="DIR", help=DIR_HELP)
    target = parser.parse_args(argv).target.resolve()  # before the working directory changes
    os.chdir(ROOT)
    start = time.monotonic()
    manifest = back_up(read_data_paths(), target)
    print(
        f"{manifest.summary} are in {target} ({manifest.size / 1_000_000:,.1f} MB, {time.monotonic() - start:.1f} s)."
    )
    return 0


if __name__ == "__main__":
    run_script(main)
