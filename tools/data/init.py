"""bin/init: creates missing databases and keys, and upgrades databases of earlier versions."""

import argparse
import os
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from games.rules.puzzles import game_id_of
from games.rules.schedule import draw_missing
from servicekit.problems import Problem
from tools.config.paths import ROOT, SHARE, DataPaths, read_data_paths
from tools.data.atomic_files import new_database, replace_databases, signals_ignored, staged, staging_lock
from tools.data.existing_data import IF_UNUSABLE, describe, exists, has_data, list_populated, refuse_interrupted_restore
from tools.data.keys import NEW_KEYS, stage_keys
from tools.data.server_connections import connected
from tools.data.server_databases import create_tables, refuse_other_sessions
from tools.data.token_key import refuse_users_in_use, require_same_key, store_fingerprint
from tools.data.upgrades import describe_upgrades, find_version, list_all_schemas, refuse_later_versions, upgrade_all
from tools.script import run_script
from tools.wording import HelpFormatter

HELP = """Creates missing databases (users, games and plays empty, the dictionary, the answers of all past puzzles) and
the keys that tokens are signed and verified with. Existing files stay as they are, except that databases of an earlier
version are upgraded, which is refused while a service has one open."""


def read_words(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


def create_empty(schema: str, path: Path) -> None:
    with new_database(path, SHARE / schema):
        pass


def create_words(path: Path) -> None:
    with new_database(path, SHARE / "words.sql") as database:
        words = [(word,) for word in read_words(SHARE / "words.txt")]
        database.executemany("INSERT INTO words (word) VALUES (?)", words)


def create_answers(path: Path) -> None:
    candidates = read_words(SHARE / "answers.txt")
    yesterday = game_id_of(datetime.now(UTC).date()) - 1  # today's is drawn when it is first needed
    drawn = draw_missing(candidates, {}, last_game=yesterday, rng=random.SystemRandom())
    with new_database(path, SHARE / "answers.sql") as database:
        database.executemany("INSERT INTO candidates (word) VALUES (?)", [(word,) for word in candidates])
        database.executemany("INSERT INTO answers (game_id, answer, source) VALUES (?, ?, 'drawn')", drawn.items())


def list_creators(data_paths: DataPaths) -> dict[Path, Callable[[Path], None]]:
    """Each database, with the function that creates it at a path."""
    return {
        data_paths.users: partial(create_empty, "users.sql"),
        **dict.fromkeys(data_paths.shards, partial(create_empty, "games.sql")),
        data_paths.words: create_words,
        data_paths.answers: create_answers,
        data_paths.plays: partial(create_empty, "plays.sql"),
    }


def refuse_lost_databases(data_paths: DataPaths, missing: Sequence[Path]) -> None:
    """Raises SystemExit if a database of the players is missing while others still have players."""
    # Version 0 may be from before plays were stored; there was none of that on PostgreSQL.
    had_plays = bool(data_paths.on_servers) or find_version(data_paths.users) > 0
    lost = [path for path in data_paths.players if path in missing and (had_plays or path != data_paths.plays)]
    if data_paths.answers in missing and has_plays(data_paths):
        answers, plays = describe(data_paths, [data_paths.answers]), describe(data_paths, [data_paths.plays])
        raise SystemExit(
            f"{answers} cannot be created while {plays} has plays, which belong to other answers: {IF_UNUSABLE}."
        )
    if lost and (left := list_populated(data_paths)):
        empty, full = describe(data_paths, lost), describe(data_paths, left)
        raise SystemExit(f"{empty} cannot be created empty while {full} still has players: {IF_UNUSABLE}.")


def has_plays(data_paths: DataPaths) -> bool:
    return exists(data_paths, data_paths.plays) and has_data(data_paths, data_paths.plays, "plays")


def install(data_paths: DataPaths, created: Sequence[Path], *, replace: bool) -> None:
    """Puts the staged databases into place: those on servers are filled in a transaction each, then all files replaced
    at once, and then the transactions committed one after the other, which takes milliseconds. If that is interrupted
    in between, the next call of bin/init makes what is missing.

    With `replace` raises InUse if a service has a connection to a server.
    """
    schemas = list_all_schemas(data_paths)
    with ExitStack() as stack:
        servers = {
            path: stack.enter_context(connected(data_paths.on_servers[path]))
            for path in created
            if path in data_paths.on_servers
        }
        for path, server in servers.items():
            if replace:
                refuse_other_sessions(server)
            server.execute("BEGIN")
            server.run(partial(create_tables, schema=schemas[path], source=staged(path), replace=replace))
        with signals_ignored():
            if files := [path for path in created if path not in servers]:
                replace_databases(files, data_paths.folder)
            for server in servers.values():
                server.execute("COMMIT")


def stage(data_paths: DataPaths, *, force: bool, new_keys: bool) -> list[Path]:
    """Stages what is missing, or all with `force`, and returns the targets of the staged files. Raises SystemExit with
    a sentence if what is there does not allow that."""
    creators = list_creators(data_paths)
    missing = [path for path in creators if force or not exists(data_paths, path)]
    if not force:
        refuse_later_versions(data_paths)
        refuse_lost_databases(data_paths, missing)
    if new_keys:
        refuse_users_in_use(data_paths)
    for path in missing:
        creators[path](staged(path))
    keys = stage_keys(data_paths, force=force or new_keys)
    if not (force or new_keys):
        public_key = data_paths.public_key
        require_same_key(data_paths, staged(public_key) if public_key in keys else public_key)
    return [*missing, *keys]


def create_files(data_paths: DataPaths, *, force: bool, new_keys: bool = False) -> str:
    """Returns a summary, which is empty if nothing was created or upgraded."""
    with staging_lock(data_paths.folder, [*data_paths.all, *data_paths.keys]):
        refuse_interrupted_restore(data_paths)
        created = stage(data_paths, force=force, new_keys=new_keys)
        install(data_paths, created, replace=force)
        upgrades = upgrade_all(data_paths)
        store_fingerprint(data_paths, replace=force or new_keys)
        for path in data_paths.files:
            path.chmod(0o600)  # earlier versions left the permissions to the umask
        own_folder = ROOT / "var"
        if own_folder.is_dir() and not own_folder.is_symlink():
            own_folder.chmod(0o700)  # as earlier versions did those of var/; other folders are not ours
    sentences = [f"Created {describe(data_paths, created)}."] if created else []
    sentences += describe_upgrades(upgrades)
    return " ".join(sentences)


def create_or_refuse(data_paths: DataPaths, *, force: bool, new_keys: bool = False) -> str:
    """As `create_files`; also raises SystemExit for a key that cannot be read."""
    try:
        return create_files(data_paths, force=force, new_keys=new_keys)
    except Problem as problem:
        raise SystemExit(
            f"{problem.detail} Restore it and {data_paths.public_key} from a backup, or {NEW_KEYS}."
        ) from problem


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/init", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "--force",
        action="store_true",
        help="recreate all, and lose all players, games and tokens; refused while a service has a database open",
    )
    parser.add_argument(
        "--new-keys",
        action="store_true",
        help="replace the keys, which invalidates all tokens; refused while a service has the users database open",
    )
    arguments = parser.parse_args(argv)
    os.chdir(ROOT)
    summary = create_or_refuse(read_data_paths(), force=arguments.force, new_keys=arguments.new_keys)
    print(summary or "All databases and keys exist: nothing to do.")
    return 0


if __name__ == "__main__":
    run_script(main)
