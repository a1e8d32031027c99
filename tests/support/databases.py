"""Where a test's databases are."""

from pathlib import Path

from tools.config.paths import DataPaths


def locate(folder: Path) -> DataPaths:
    """The paths of all databases and keys in a folder."""
    shards = (folder / "games0.db", folder / "games1.db", folder / "games2.db")
    return DataPaths(
        users=folder / "users.db",
        shards=shards,
        words=folder / "words.db",
        answers=folder / "answers.db",
        plays=folder / "plays.db",
        private_key=folder / "tokens.key",
        public_key=folder / "tokens.pub",
        service_token=folder / "games.token",
    )
