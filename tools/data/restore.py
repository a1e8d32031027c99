"""bin/restore: replaces all databases and keys by those of a backup."""

import argparse
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.data.atomic_files import create_folder, replace_databases, seal, staged, staging_lock, sync
from tools.data.existing_data import refuse_populated
from tools.data.manifest import Manifest, check_files, read_manifest
from tools.data.upgrades import describe_upgrades, refuse_later_versions, upgrade_all
from tools.data.verify import verify
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Replaces all databases and keys by those of a backup, or none. The backup is checked first: a file that is
missing, unknown or damaged, or a difference that bin/verify would find, is refused before anything changes. Databases
of an earlier version are upgraded, and browsers are signed out; the backup itself stays as it is. Also refused while a
service has a database open."""
FORCE_HELP = "replace databases that have players; their players, games and tokens are lost"


def check_backup(folder: Path, manifest: Manifest, data_paths: DataPaths) -> None:
    """Raises SystemExit with a sentence if the backup is incomplete, is for another number of shards, or is of a later
    version of Quintet."""
    if manifest.shards != len(data_paths.shards):
        raise SystemExit(
            f"{folder} has {manifest.shards} shards and STATS_SHARD_URLS names {len(data_paths.shards)}, so"
            " players' games would be in the wrong shard: name as many shards as the backup has."
        )
    copies = DataPaths.in_folder(folder, shards=manifest.shards)
    check_files(folder, manifest, (*copies.all, *copies.keys))
    refuse_later_versions(copies)


def locate_staged(data_paths: DataPaths) -> DataPaths:
    """The staged files of all databases and keys."""
    return DataPaths(
        users=staged(data_paths.users),
        shards=tuple(map(staged, data_paths.shards)),
        words=staged(data_paths.words),
        answers=staged(data_paths.answers),
        plays=staged(data_paths.plays),
        private_key=staged(data_paths.private_key),
        public_key=staged(data_paths.public_key),
        service_token=staged(data_paths.service_token),
    )


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


def upgrade_and_verify(folder: Path, data_paths: DataPaths) -> list[str]:
    """Upgrades the staged databases, and returns remarks for the operator.

    Raises SystemExit with a sentence if verify finds a difference afterwards.
    """
    copies = locate_staged(data_paths)
    upgrades = upgrade_all(copies)
    if total := (findings := verify(copies)).damage:
        first = next(sentence for sentences in findings.differences.values() for sentence in sentences)
        first = name_targets(first, data_paths)
        raise SystemExit(
            f"{folder} is damaged: it has {count(total, 'difference')}, among them: {first}. Restore another backup."
        )
    return [name_targets(remark, data_paths) for remark in describe_upgrades(upgrades)]


def stage_files(copies: DataPaths, data_paths: DataPaths) -> None:
    """Copies the files of the backup to staged files."""
    for copy, path in zip((*copies.all, *copies.keys), (*data_paths.all, *data_paths.keys), strict=True):
        create_folder(path.parent)
        if path != data_paths.public_key:
            staged(path).touch(mode=0o600)
        shutil.copyfile(copy, staged(path))
    for path in data_paths.all:
        seal(staged(path))
    for path in data_paths.keys:
        sync(staged(path))


def restore(folder: Path, data_paths: DataPaths, *, force: bool) -> tuple[Manifest, list[str]]:
    """Returns the manifest and remarks for the operator.

    Raises SystemExit with a sentence, or InUse; then nothing has changed.
    """
    manifest = read_manifest(folder)
    targets = [*data_paths.all, *data_paths.keys]
    with staging_lock(data_paths.folder, targets):
        if not force:
            refuse_populated(data_paths, advice="bin/restore --force replaces all players and games")
        check_backup(folder, manifest, data_paths)
        stage_files(DataPaths.in_folder(folder, shards=manifest.shards), data_paths)
        remarks = upgrade_and_verify(folder, data_paths)
        end_sessions(staged(data_paths.users))
        replace_databases(targets, data_paths.folder)
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
