"""bin/reshard: moves all rows to other databases.

Every database that moves gets a mark in place of its schema version (servicekit/db/moves.py), so that at no moment
services can use both the old and the new ones:

1. The old databases are locked, and stay so until the end. Their rows are staged as SQLite files, and verified.
2. The new databases are filled. They are marked as incomplete, and compared with what was read.
3. The old ones are marked as moved. With the last of them the move is decided.
4. The new ones get their schema version.

After an interruption before the move is decided, the next run starts again; the old databases have all rows. After it,
the next run does step 4 alone: nothing was written in between, since services refuse marked databases.
"""

import argparse
import os
import secrets
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tqdm import tqdm

from servicekit.db.moves import INCOMPLETE, MOVED, NUMBERS, explain_mark
from tools.config.dotenv import read_changes
from tools.config.paths import ROOT, DataPaths, read_data_paths
from tools.config.settings import PREFIXES, list_all_names
from tools.data.atomic_files import signals_ignored, staging_lock
from tools.data.existing_data import IF_MISSING, describe, exists, refuse_interrupted_restore
from tools.data.locked_databases import LockedDatabase, lock_database
from tools.data.moved_groups import (
    Group,
    compare,
    find_version_there,
    install,
    list_groups,
    set_version,
    stage,
    verify_staged,
)
from tools.data.upgrades import current_version
from tools.data.verify import Findings
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Moves all rows from the databases that the settings name to those that FILE names: on another engine, in
another number of shards, or both. Databases that FILE does not name stay where they are, and so do the keys. The rows
are checked as bin/verify does, and the new databases compared with the old ones, which keep their rows and get a mark,
so that no service uses them any more. Refused while a service or a client has one of them open."""
FILE_HELP = """settings in the form of .env, such as STATS_SHARD_URLS; the files that it names must not exist, and
databases on a server have no tables, except those of an interrupted bin/reshard"""


def refuse_other_keys(source: DataPaths, target: DataPaths) -> None:
    if [path.absolute() for path in source.keys] != [path.absolute() for path in target.keys]:
        raise SystemExit(
            "The file names other keys than the settings, but keys stay where they are: remove those lines."
        )


@contextmanager
def lock_folders(source: DataPaths, target: DataPaths) -> Iterator[None]:
    """Keeps other scripts away, whichever settings they have."""
    with ExitStack() as stack:
        if source.folder.resolve() != target.folder.resolve():
            stack.enter_context(staging_lock(source.folder, []))
        stack.enter_context(staging_lock(target.folder, target.all))
        yield


def refuse_missing(source: DataPaths) -> None:
    refuse_interrupted_restore(source)
    if missing := [path for path in source.all if not exists(source, path)]:
        raise SystemExit(f"{describe(source, missing)} is missing: {IF_MISSING}.")


def find_decided_move(old: Collection[int], new: Collection[int | None]) -> int | None:
    """The number of a move that was interrupted after it was decided: it has marked all old databases, and some of the
    new ones are still incomplete. None before a decision. Arguments are the versions in the databases.

    Raises SystemExit if the old databases were moved elsewhere, or if that move is finished.
    """
    if len(set(old)) > 1 or (mark := min(old)) < MOVED:
        return None
    number = mark - MOVED
    if INCOMPLETE + number not in new:
        raise SystemExit(f"Nothing to move: each database that the settings name {explain_mark(mark)}.")
    return number


def refuse_unusable(group: Group, path: Path, version: int, source: DataPaths) -> None:
    """Raises SystemExit if an old database is not of this version. One may be marked by a move that was not decided."""
    needed = current_version(group.schema)
    if version < MOVED and version != needed:
        reason = explain_mark(version) or (
            f"has schema version {version}, and this Quintet {needed}:"
            f" {'run bin/init' if version < needed else 'run the version that made it'}"
        )
        raise SystemExit(f"{describe(source, [path])} {reason}.")


def refuse_occupied(target: DataPaths, versions: Mapping[Path, int | None]) -> None:
    """Raises SystemExit if a new database exists, unless it is left over from an interrupted move."""
    occupied = [path for path, version in versions.items() if version is not None and not INCOMPLETE <= version < MOVED]
    if occupied:
        raise SystemExit(
            f"{describe(target, occupied)} has tables already, so nothing was changed: name databases that are empty"
            " or do not exist."
        )


def move(source: DataPaths, target: DataPaths, groups: Sequence[Group]) -> Findings | None:
    """Returns what was found in the rows; None if it has only finished an earlier move.

    Raises SystemExit with a sentence, or InUse; then the old databases can be used as before, unless the failure is in
    the middle of step 3.
    """
    moving = [group for group in groups if group.moves]
    with ExitStack() as stack:
        stack.enter_context(lock_folders(source, target))
        refuse_missing(source)
        new = {path: find_version_there(target, path) for group in moving for path in group.new}
        locked = {path: stack.enter_context(lock_database(source, path)) for path in source.all}
        old = {path: locked[path].read_version() for group in moving for path in group.old}
        number, findings = find_decided_move(old.values(), new.values()), None
        if number is None:
            for group in groups:
                for path in group.old:
                    refuse_unusable(group, path, locked[path].read_version(), source)
            refuse_occupied(target, new)
            number = secrets.randbelow(NUMBERS)
            findings = fill(groups, locked, target, INCOMPLETE + number)
        with signals_ignored():
            if findings is not None:
                for path in old:
                    locked[path].mark(MOVED + number)
            admit_services(target, moving, INCOMPLETE + number)
    return findings


def fill(groups: Sequence[Group], locked: Mapping[Path, LockedDatabase], target: DataPaths, mark: int) -> Findings:
    """Fills the new databases, which get the mark, and compares them with the old ones."""
    bar = tqdm(groups, desc="bin/reshard", unit=" kinds of databases", leave=False, disable=None)
    contents = {group.schema: stage(group, locked) for group in bar}
    findings = verify_staged(target)
    moving = [group for group in groups if group.moves]
    install(target, moving, mark)
    for group in moving:
        compare(target, group, contents[group.schema])
    return findings


def admit_services(target: DataPaths, moving: Sequence[Group], mark: int) -> None:
    """Gives the new databases their schema version, those that have not got it."""
    for group in moving:
        for path in group.new:
            if find_version_there(target, path) == mark:
                set_version(target, path, current_version(group.schema))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/reshard", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help=FILE_HELP)
    file = parser.parse_args(argv).to.resolve()  # before the working directory changes
    os.chdir(ROOT)
    start = time.monotonic()
    source = read_data_paths()
    target = read_data_paths(read_changes(file, known=list_all_names(), prefixes=PREFIXES))
    refuse_other_keys(source, target)
    groups = list_groups(source, target)
    if not any(group.moves for group in groups):
        raise SystemExit(f"Nothing to move: {file} names the same databases as the settings.")
    findings = move(source, target, groups)
    places = describe(target, [path for group in groups if group.moves for path in group.new])
    if findings is None:
        print(f"Finished the move that was interrupted: all rows are in {places}.")
    else:
        rows = f"{count(findings.users, 'player')} and {count(findings.games, 'game')}"
        print(f"Moved to {places}, and verified: {rows} ({time.monotonic() - start:.1f} s).")
    print(f"Now put the lines of {file} into .env, on every machine, and start the suite with bin/run.")
    return 0


if __name__ == "__main__":
    run_script(main)
