"""What a supervised command gets of .env, which may change while its supervisor runs."""

from pathlib import Path

import pytest

from tools.process.environment import Environment


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With what the runner has put into the environment of the supervisor."""
    path = tmp_path / ".env"
    path.write_text("FIRST=1\nSECOND='two words'\n", encoding="utf-8")
    monkeypatch.setenv("FIRST", "1")
    monkeypatch.setenv("SECOND", "two words")
    monkeypatch.setenv("OWN", "kept")
    return path


def read_some(environment: Environment) -> dict[str, str]:
    return {name: value for name, value in environment.read().items() if name in {"FIRST", "SECOND", "THIRD", "OWN"}}


def test_unchanged_file_gives_the_same_environment(dotenv: Path) -> None:
    assert read_some(Environment(dotenv)) == {"FIRST": "1", "SECOND": "two words", "OWN": "kept"}


def test_changed_added_and_removed_entries_are_followed(dotenv: Path) -> None:
    environment = Environment(dotenv)
    dotenv.write_text("FIRST=one\nTHIRD=3\n", encoding="utf-8")
    assert read_some(environment) == {"FIRST": "one", "THIRD": "3", "OWN": "kept"}
    dotenv.unlink()
    assert read_some(environment) == {"OWN": "kept"}


def test_file_that_cannot_be_read_changes_nothing(dotenv: Path) -> None:
    environment = Environment(dotenv)
    before = read_some(environment)
    dotenv.write_bytes(b"FIRST=\xff\n")
    assert read_some(environment) == before
