"""bin/restore: replaces all databases and keys by those of a backup."""

import argparse
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from tqdm import tqdm

from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data.atomic_files import (
    JOURNAL,
    create_folder,
    replace_databases,
    seal,
    signals_ignored,
    staged,
    staging_lock,
    sync,
)
from tools.data.database_readers import Servers
from tools.data.existing_data import interrupted_restore, refuse_populated
from tools.data.manifest import Manifest, check_files, locate_copies, read_manifest, refuse_other_engines
from tools.data.server_connections import ServerConnection, connected
from tools.data.server_databases import LOCK, drop_tables, refuse_other_sessions
from tools.data.server_dumps import find_program, load
from tools.data.upgrades import describe_upgrades, refuse_later_versions, upgrade_all
from tools.data.verify import verify
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Replaces all databases and keys by those of a backup, or none. The backup is checked first: a file that is
missing, unknown or damaged, or a difference that bin/verify would find, is refused before anything changes. Databases
of an earlier version are upgraded, and browsers are signed out; the backup itself stays as it is. Also refused while a
service has a database open. Databases on PostgreSQL are read by pg_restore, of the path or of PG_BIN."""
FORCE_HELP = "replace databases that have players; their players, games and tokens are lost"


def check_backup(folder: Path, manifest: Manifest, data_paths: DataPaths) -> DataPaths:
    """The files of the backup.

    Raises SystemExit with a sentence if it is incomplete, is for another number of shards or other engines, or is of a
    later version of Quintet.
    """
    if manifest.shards != len(data_paths.shards):
        raise SystemExit(
            f"{folder} has {manifest.shards} shards and STATS_SHARD_URLS names {len(data_paths.shards)}, so"
            " players' games would be in the wrong shard: name as many shards as the backup has."
        )
    copies = locate_copies(folder, data_paths)
    refuse_other_engines(folder, manifest, copies)
    check_files(folder, manifest, (*copies.all, *copies.keys))
    refuse_later_versions(copies)
    return copies


def name_targets(sentence: str, data_paths: DataPaths) -> str:
    """Replaces the names of staged databases in a sentence by those of their targets."""
    for path in data_paths.all:
        sentence = sentence.replace(str(staged(path)), str(path))
    return sentence


def end_sessions(users: Path) -> None:
    """A session that was ended after the backup, by a new password for instance, must not come back with it.

    Raises SystemExit with a sentence if the database cannot be written.
    """
    try:
        with closing(sqlite3.connect(users)) as database, database:
            database.execute("DELETE FROM sessions")
        seal(users)
    except sqlite3.Error as error:
        raise SystemExit(f"The sessions in {users} cannot be ended ({error}).") from error


def upgrade_and_verify(folder: Path, data_paths: DataPaths, servers: Servers) -> list[str]:
    """Upgrades the staged databases, and returns remarks for the operator.

    Raises SystemExit with a sentence if verify finds a difference afterwards.
    """
    copies = data_paths.relocate(staged)
    upgrades = upgrade_all(copies, servers)
    if total := (findings := verify(copies, servers)).damage:
        first = next(sentence for sentences in findings.differences.values() for sentence in sentences)
        first = name_targets(first, data_paths)
        raise SystemExit(
            f"{folder} is damaged: it has {count(total, 'difference')}, among them: {first}. Restore another backup."
        )
    return [name_targets(remark, data_paths) for remark in describe_upgrades(upgrades)]


def stage_files(copies: DataPaths, data_paths: DataPaths) -> None:
    """Copies the files of the backup to staged files."""
    for copy, path in zip((*copies.files, *copies.keys), (*data_paths.files, *data_paths.keys), strict=True):
        create_folder(path.parent)
        if path != data_paths.public_key:
            staged(path).touch(mode=0o600)
        shutil.copyfile(copy, staged(path))
    for path in data_paths.files:
        seal(staged(path))
    for path in data_paths.keys:
        sync(staged(path))


def begin_on_servers(data_paths: DataPaths, stack: ExitStack) -> dict[Path, ServerConnection]:
    """A connection to each server's database, in a transaction, by the path of the staged file that it has none of.
    Ending the connections rolls back. Raises InUse if a service has one."""
    servers = {staged(path): stack.enter_context(connected(url)) for path, url in data_paths.on_servers.items()}
    for server in servers.values():
        refuse_other_sessions(server)
        server.execute(f"BEGIN; {LOCK}")
    return servers


def load_dumps(copies: DataPaths, servers: Servers) -> None:
    """Replaces the tables, in the transactions of `servers`."""
    if servers:
        pg_restore = find_program("pg_restore", servers.values())
        pairs = list(zip(copies.on_servers, servers.values(), strict=True))
        for path, server in tqdm(pairs, unit=" databases", leave=False, disable=None):
            server.run(drop_tables)
            load(pg_restore, path, server)
            server.execute("ANALYZE")


def replace_all(data_paths: DataPaths, servers: Servers) -> None:
    """First the files, all or none, then one server after the other, which takes milliseconds. If this process is
    killed in between, or a server fails, a file says that only a part is replaced, and bin/init, and so bin/run,
    refuses until bin/restore has run again.

    Raises InUse, before anything changes, if a service has connected in the meantime.
    """
    for server in servers.values():
        refuse_other_sessions(server)
    marker = interrupted_restore(data_paths)
    with signals_ignored():
        if servers:
            marker.touch()
            sync(marker.parent)
        try:
            replace_databases([*data_paths.files, *data_paths.keys], data_paths.folder)
        except BaseException:
            if not (data_paths.folder / JOURNAL).exists():  # then nothing was replaced
                marker.unlink(missing_ok=True)
            raise
        for server in servers.values():
            server.execute("COMMIT")
        marker.unlink(missing_ok=True)


def restore(folder: Path, data_paths: DataPaths, *, force: bool) -> tuple[Manifest, list[str]]:
    """Returns the manifest and remarks for the operator.

    Raises SystemExit with a sentence, or InUse; then nothing has changed.
    """
    manifest = read_manifest(folder)
    with staging_lock(data_paths.folder, [*data_paths.all, *data_paths.keys]), ExitStack() as stack:
        if not force:
            refuse_populated(data_paths, advice="bin/restore --force replaces all players and games")
        copies = check_backup(folder, manifest, data_paths)
        servers = begin_on_servers(data_paths, stack)
        load_dumps(copies, servers)
        stage_files(copies, data_paths)
        remarks = upgrade_and_verify(folder, data_paths, servers)
        users = staged(data_paths.users)
        if users in servers:
            servers[users].execute("DELETE FROM sessions")
        else:
            end_sessions(users)
        replace_all(data_paths, servers)
    return manifest, remarks


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/restore", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of a backup")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    arguments = parser.parse_args(argv)
    folder = arguments.folder.resolve()  # before the working directory changes
    os.chdir(ROOT)
    start = time.monotonic()
    manifest, remarks = restore(folder, read_data_paths(), force=arguments.force)
    for remark in remarks:
        print(remark)
    print(f"{manifest.summary} are restored from {folder} ({time.monotonic() - start:.1f} s).")
    return 0


if __name__ == "__main__":
    run_script(main)
