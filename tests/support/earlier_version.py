"""Databases and a backup of the version before schema versions existed (dumped from a real suite, 2026-11-26).

32 players with 301 finished games. `ada` has won game 1986, `bob` has started it. An administrator has set the answers
of games 1989 (not a candidate) and 1991 (a candidate, which is also the answer of game 1999).
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tools.config.paths import DataPaths
from tools.data.atomic_files import staged
from tools.data.keys import stage_keys
from tools.data.manifest import MANIFEST, Manifest, describe

DUMPS = Path(__file__).parent / "earlier_version"
PLAYERS, GAMES = 32, 301
EARLIER_VERSIONS = {"users": 0, "words": 0, "answers": 0, "plays": 0, "games0": 2, "games1": 2, "games2": 2}


def make_earlier_databases(data_paths: DataPaths) -> None:
    data_paths.folder.mkdir(parents=True, exist_ok=True)
    for path in data_paths.all:
        with closing(sqlite3.connect(path)) as database:
            database.executescript((DUMPS / f"{path.stem}.sql").read_text(encoding="utf-8"))
            database.execute("PRAGMA journal_mode = WAL")


def make_earlier_backup(folder: Path) -> None:
    """A backup as made by that version: rollback journals, and a manifest without a format number."""
    copies = DataPaths.in_folder(folder, shards=3)
    make_earlier_databases(copies)
    for path in stage_keys(copies, force=True):
        staged(path).rename(path)
    for path in copies.all:
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode = DELETE")
    manifest = Manifest.model_validate(
        {
            "taken_at": "2026-11-26T10:01:57Z",
            "shards": 3,
            "players": PLAYERS,
            "games": GAMES,
            "files": [describe(path) for path in (*copies.all, *copies.keys)],
        }
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(exclude_unset=True), encoding="utf-8")
