"""The files of a backup: databases and keys under fixed names, and `manifest.json` with their sizes and checksums.

The manifest is written last, so a folder with a manifest is complete, and a file that differs from it is damaged.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, ValidationError

from tools.config.paths import DataPaths
from tools.wording import count

MANIFEST = "manifest.json"
FORMAT = 2
"""The version of the manifest and the list of files; to be raised when earlier versions cannot restore a backup. The
schemas of the databases are versioned by themselves (tools/data/upgrades.py). 2 since there are databases on
PostgreSQL."""


class FileEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal."""


class AnyManifest(BaseModel):
    """A manifest of any format."""

    format: StrictInt = Field(default=0, ge=0)


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 0
    """0 in manifests from before formats were numbered."""
    taken_at: AwareDatetime
    """The time of the snapshot, UTC."""
    shards: int
    players: int
    """Registered players."""
    games: int
    """Finished games, in all shards."""
    files: tuple[FileEntry, ...]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(entry.size for entry in self.files)

    @property
    def summary(self) -> str:
        taken_at = f"{self.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"{count(self.players, 'player')} and {count(self.games, 'game')} as of {taken_at}"


def locate_copies(folder: Path, data_paths: DataPaths) -> DataPaths:
    """The files of a backup of these databases and keys. A database on a server is in `NAME.dump`, in the form of
    pg_dump."""
    named = DataPaths.in_folder(folder, shards=len(data_paths.shards))
    copies = dict(zip((*data_paths.all, *data_paths.keys), (*named.all, *named.keys), strict=True))
    copies |= {path: copies[path].with_suffix(".dump") for path in data_paths.on_servers}
    return data_paths.relocate(copies.__getitem__)


def refuse_other_engines(folder: Path, manifest: Manifest, copies: DataPaths) -> None:
    """Raises SystemExit if a database was on another engine than the one that its URL names now."""
    names = {entry.name for entry in manifest.files}
    for path in copies.all:
        other = path.with_suffix(".db" if path in copies.on_servers else ".dump")
        if path.name not in names and other.name in names:
            place = "on a server" if path in copies.on_servers else "in a file"
            raise SystemExit(
                f"{folder} has {other.name}, and the settings have this database {place}: a backup can be restored only"
                " to the engines from which it was made."
            )


def describe(path: Path) -> FileEntry:
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(name=path.name, size=path.stat().st_size, sha256=checksum)


def read_manifest(folder: Path) -> Manifest:
    """Raises SystemExit with a sentence if it is missing, damaged or of a later format."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        refuse_later_format(path, AnyManifest.model_validate_json(content).format)
        return Manifest.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        raise SystemExit(f"{folder} has no {MANIFEST}: it is not a complete backup.") from None
    except ValidationError as error:
        raise SystemExit(f"{path} is damaged: it is not what bin/backup wrote.") from error


def refuse_later_format(path: Path, number: int) -> None:
    """Raises SystemExit if the number of a format is greater than FORMAT."""
    if number > FORMAT:
        raise SystemExit(
            f"{path.parent} was made by a later version of Quintet (backup format {number}, this one knows {FORMAT}):"
            " run the version that made it."
        )


def check_files(folder: Path, manifest: Manifest, expected: Sequence[Path]) -> None:
    """Raises SystemExit with the first difference between the files and the manifest."""
    names = {path.name for path in expected}
    if sorted(entry.name for entry in manifest.files) != sorted(names):
        raise SystemExit(f"{folder / MANIFEST} is damaged: it does not list the files of a backup.")
    found = {path.name for path in folder.iterdir()} - {MANIFEST}
    if missing := names - found:
        raise SystemExit(f"{folder} is damaged: {', '.join(sorted(missing))} is missing.")
    if unknown := found - names:
        raise SystemExit(f"{folder} has {', '.join(sorted(unknown))}, which does not belong to the backup: remove it.")
    for entry in manifest.files:
        actual = describe(folder / entry.name)
        if actual.size != entry.size:
            raise SystemExit(
                f"{folder / entry.name} is damaged: it has {actual.size:,} bytes and should have {entry.size:,}."
            )
        if actual != entry:
            raise SystemExit(f"{folder / entry.name} is damaged: its checksum is not the one in {MANIFEST}.")
