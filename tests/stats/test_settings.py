from pathlib import Path

import pytest
from pydantic import ValidationError

from stats.settings import Settings


@pytest.fixture(autouse=True)
def no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATS_USERS_URL", "STATS_SHARD_URLS", "BUSY_TIMEOUT_MS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_default_is_three_shards_beside_the_users_database() -> None:
    settings = Settings()
    assert settings.users_url == "sqlite:///var/users.db"
    assert settings.shard_urls == tuple(f"sqlite:///var/games{number}.db" for number in range(3))


def test_shard_urls_are_comma_separated_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATS_SHARD_URLS", "sqlite:///b.db, sqlite:////tmp/a.db")
    assert Settings().shard_urls == ("sqlite:///b.db", "sqlite:////tmp/a.db")


@pytest.mark.parametrize("urls", ["", "sqlite:///a.db,", "sqlite:///a.db,b.db", "sqlite:///a.db,mysql://h/b"])
def test_invalid_shard_url_is_refused_and_quoted(monkeypatch: pytest.MonkeyPatch, urls: str) -> None:
    monkeypatch.setenv("STATS_SHARD_URLS", urls)
    with pytest.raises(ValidationError) as refusal:
        Settings()
    assert f"{urls.rsplit(',', maxsplit=1)[-1]!r} should be sqlite:///PATH" in str(refusal.value)


def test_hosts_of_one_url_are_not_taken_for_two_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = "postgresql://q@a:1,b:2/games0?x=y", "sqlite:///c.db", "sqlite:///d.db", "postgresql://q@[::1],b/games1"
    monkeypatch.setenv("STATS_SHARD_URLS", ", ".join(urls))
    assert Settings().shard_urls == urls


def test_duplicate_shard_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATS_SHARD_URLS", "sqlite:///a.db,sqlite:///b.db,sqlite:///a.db")
    with pytest.raises(ValidationError, match="names a shard twice"):
        Settings()


def test_empty_shard_list_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        Settings(shard_urls=())
