"""What a backup consists of: the files of the databases and keys under fixed names, and `manifest.json` about them.

The manifest is written last. So a folder that has one is whole, and a file that differs from it was damaged later.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, ValidationError

from tools.config.paths import DataPaths
from tools.wording import count

MANIFEST = "manifest.json"
FORMAT = 1
"""Of the manifest and the list of files: raise it when earlier versions could not restore what is written. The
databases' schemas have versions of their own (tools/data/upgrades.py)."""


class FileEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal."""


class Numbered(BaseModel):
    """What can be read of a manifest of any format."""

    format: StrictInt = Field(default=0, ge=0)


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 0
    """0 is every manifest from before formats were numbered."""
    taken_at: AwareDatetime
    """The instant of all databases, UTC."""
    shards: int
    players: int
    """All who are registered."""
    games: int
    """Finished ones, over all shards."""
    files: tuple[FileEntry, ...]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(entry.size for entry in self.files)

    @property
    def summary(self) -> str:
        taken_at = f"{self.taken_at:%Y-%m-%d %H:%M:%S} UTC"
        return f"{count(self.players, 'player')} and {count(self.games, 'game')} as of {taken_at}"


def locate_backup(folder: Path, *, shards: int) -> DataPaths:
    """Where the files of a backup are, wherever the settings have their originals."""
    return DataPaths(
        users=folder / "users.db",
        shards=tuple(folder / f"games{number}.db" for number in range(shards)),
        words=folder / "words.db",
        answers=folder / "answers.db",
        plays=folder / "plays.db",
        private_key=folder / "tokens.key",
        public_key=folder / "tokens.pub",
        service_token=folder / "games.token",
    )


def describe(path: Path) -> FileEntry:
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(name=path.name, size=path.stat().st_size, sha256=checksum)


def read_manifest(folder: Path) -> Manifest:
    """Raises SystemExit with a sentence if there is none, if it is of a later format, or if it is damaged."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        refuse_later_format(path, Numbered.model_validate_json(content).format)
        return Manifest.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        raise SystemExit(f"{folder} has no {MANIFEST}: it is no backup, or not all of one.") from None
    except ValidationError as error:
        raise SystemExit(f"{path} is damaged: it is not what bin/backup wrote.") from error


def refuse_later_format(path: Path, number: int) -> None:
    """Raises SystemExit with a sentence."""
    if number > FORMAT:
        raise SystemExit(
            f"{path.parent} was made by a later version of Quintet (backup format {number}, this one knows {FORMAT}):"
            " run the version that made it."
        )


def check_files(folder: Path, manifest: Manifest, expected: Sequence[Path]) -> None:
    """Raises SystemExit with the first difference between a backup's files and its manifest."""
    names = {path.name for path in expected}
    if sorted(entry.name for entry in manifest.files) != sorted(names):
        raise SystemExit(f"{folder / MANIFEST} is damaged: it does not list the files of a backup.")
    found = {path.name for path in folder.iterdir()} - {MANIFEST}
    if missing := names - found:
        raise SystemExit(f"{folder} is damaged: {', '.join(sorted(missing))} is missing.")
    if strange := found - names:
        raise SystemExit(
            f"{folder} has {', '.join(sorted(strange))}, which does not belong to the backup: take it away."
        )
    for entry in manifest.files:
        actual = describe(folder / entry.name)
        if actual.size != entry.size:
            raise SystemExit(
                f"{folder / entry.name} is damaged: it has {actual.size:,} bytes and should have {entry.size:,}."
            )
        if actual != entry:
            raise SystemExit(f"{folder / entry.name} is damaged: its checksum is not the one in {MANIFEST}.")
