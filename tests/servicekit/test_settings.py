from pathlib import Path

import pytest
from pydantic import ValidationError

from servicekit.settings import DatabaseUrl, ServiceSettings, hide_password


class Settings(ServiceSettings):
    database_url: DatabaseUrl = "sqlite:///var/ledger.db"


@pytest.fixture(autouse=True)
def no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PS", "HONCHO_PROCESS_NAME", "BUSY_TIMEOUT_MS", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "url",
    ["", "var/ledger.db", "sqlite://var/ledger.db", "sqlite:///", "mysql://host/ledger", "SQLITE:///x.db"],
)
def test_invalid_database_url_is_refused_and_quoted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert f"{url!r} should be sqlite:///PATH" in str(refusal.value)
    assert "database_url" in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host/ledger",
        "postgresql://quintet@127.0.0.1:5432/ledger",
        "postgresql://quintet:s%40fe@a:5432,b.example:5433/ledger?sslmode=verify-full",
        "postgresql://quintet@[::1]:5432/ledger",
    ],
)
def test_url_of_a_postgresql_database_is_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert Settings().database_url == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host",
        "postgresql:///ledger",
        "postgresql://host/",
        "postgresql://a,,b/ledger",
        "postgresql://a:x/b",
    ],
)
def test_invalid_postgresql_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ValidationError, match="should be postgresql://USER:PASSWORD@HOST:PORT/DATABASE"):
        Settings()


def test_password_of_a_url_is_hidden() -> None:
    assert hide_password("postgresql://quintet:s3cret@a:1,b:2/x") == "postgresql://quintet:***@a:1,b:2/x"
    assert hide_password("postgresql://quintet@a:1/x") == "postgresql://quintet@a:1/x"
    assert hide_password("sqlite:////srv/users.db") == "sqlite:////srv/users.db"


@pytest.mark.parametrize("timeout", ["-1", "60001", "soon", "1.5"])
def test_invalid_timeout_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, timeout: str) -> None:
    monkeypatch.setenv("BUSY_TIMEOUT_MS", timeout)
    with pytest.raises(ValidationError, match="BUSY_TIMEOUT_MS"):
        Settings()


@pytest.mark.parametrize("name", ["PS", "HONCHO_PROCESS_NAME"])
def test_instance_is_the_name_given_by_foreman_or_honcho(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert Settings().instance == ""
    monkeypatch.setenv(name, "ledger.2")
    assert Settings().instance == "ledger.2"


def test_environment_overrides_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///file.db\nBUSY_TIMEOUT_MS=7\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///environment.db")
    settings = Settings()
    assert settings.database_url == "sqlite:///environment.db"
    assert settings.busy_timeout_ms == 7


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().busy_timeout_ms = 1  # type: ignore[misc]  # must be refused
