"""What a backup consists of: the files of the databases and keys under fixed names, and `manifest.json` about them.

The manifest is written last. So a folder that has one is whole, and a file that differs from it was damaged later.
"""

import hashlib
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from tools.locations import Locations

MANIFEST = "manifest.json"


class FileEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal."""


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

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
        return f"{self.players:,} players and {self.games:,} games as of {self.taken_at:%Y-%m-%d %H:%M:%S} UTC"


def locate_backup(folder: Path, *, shards: int) -> Locations:
    """Where the files of a backup are, wherever the settings have their originals."""
    return Locations(
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
