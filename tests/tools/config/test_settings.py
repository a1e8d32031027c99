"""Every setting is validated before anything starts, and a wrong one is refused in a sentence."""

from pathlib import Path

import pytest

from tests.support.scripts import write_dotenv
from tools.config import dotenv
from tools.config.dotenv import read_changes
from tools.config.paths import DataPaths, read_data_paths
from tools.config.settings import PREFIXES, list_all_names, require_valid_settings

GOOD_AND_BAD: dict[str, tuple[str, str, str]] = {
    "USERS_DATABASE_URL": ("sqlite:////srv/users.db", "users.db", "sqlite:///var/a#b.db"),
    "USERS_TOKEN_LIFETIME_S": ("600", "0", "an hour"),
    "WORDS_DATABASE_URL": ("sqlite:///var/other.db", "sqlite:///", "sqlite:///var/a?b.db"),
    "GAMES_ANSWERS_URL": ("sqlite:///var/other.db", "postgresql://localhost", "sqlite:///var/a%20b.db"),
    "GAMES_PLAYS_URL": ("sqlite:///var/other.db", "", "plays"),
    "GAMES_WORDS_URL": ("https://play.example/api/words", "http://", "play.example/api/words"),
    "GAMES_WORDS_TIMEOUT_S": ("0.5", "0", "soon"),
    "GAMES_STATS_URL": ("http://127.0.0.1:8080/api/stats", "http://127.0.0.1:port/", "http://a/b?c=d"),
    "GAMES_STATS_TIMEOUT_S": ("60", "61", "-1"),
    "STATS_USERS_URL": ("sqlite:////srv/users.db", "sqlite:/var/users.db", "var/users.db"),
    "STATS_SHARD_URLS": ("sqlite:///a.db,sqlite:///b.db", "sqlite:///a.db,sqlite:///a.db", "a.db,b.db"),
    "WEB_SUITE": ("false", "perhaps", "2"),
    "POSTGRES_CONNECTIONS": ("1", "0", "101"),
    "BUSY_TIMEOUT_MS": ("0", "-1", "1.5 s"),
    "LOG_FORMAT": ("json", "JSON", "xml"),
    "ACCESS_LOG": ("false", "perhaps", "2"),
    "USERS_BEHIND_TLS": ("false", "perhaps", "2"),
    "REGISTRATIONS_PER_MINUTE": ("1", "0", "many"),
    "TOKENS_PER_MINUTE": ("1200", "abc", "1e3"),
    "REFRESHES_PER_MINUTE": ("999999999", "-5", "1_000"),
    "GUESSES_PER_MINUTE": ("999999999", "-5", "1_000"),
    "REQUESTS_IN_FLIGHT": ("50", "1.5", "1000000000"),
    "USERS_TOKEN_PRIVATE_KEY_FILE": ("/srv/tokens.key", "", "~/tokens.key"),
    "TOKEN_PUBLIC_KEY_FILE": ("/srv/tokens.pub", "", "~/tokens.pub"),
    "GAMES_SERVICE_TOKEN_FILE": ("/srv/games.token", "", "~root/games.token"),
    "CORS_ORIGINS": ("https://Play.example,http://localhost:3000", "*", "https://a.example,"),
    "ALLOWED_HOSTS": ("Play.Example,www.play.example", "*", "play.example:443"),
}
ANY_TEXT = {"PS", "HONCHO_PROCESS_NAME"}
"""Names of processes, which the runners set."""
MORE_BAD = [
    ("CORS_ORIGINS", "https://a.example/"),
    ("CORS_ORIGINS", "https://a.example:443"),
    ("CORS_ORIGINS", "http://a.example:80"),
    ("CORS_ORIGINS", "https://.*"),
    ("CORS_ORIGINS", "a.example"),
    ("CORS_ORIGINS", "null"),
    ("ALLOWED_HOSTS", "*.play.example"),
    ("ALLOWED_HOSTS", "play.example,"),
    ("ALLOWED_HOSTS", ","),
    ("ALLOWED_HOSTS", ",play.example"),
    ("ALLOWED_HOSTS", "play.example,,www.play.example"),
    ("ALLOWED_HOSTS", "\u212aelvin.example"),
    ("CORS_ORIGINS", "https://a.example:99999"),
    ("USERS_DATABASE_URL", "sqlite:///var/"),
    ("USERS_DATABASE_URL", "sqlite:///~/users.db"),
    ("GAMES_WORDS_URL", "http://[::1/"),
    ("GAMES_WORDS_URL", "http://127.0.0.1:99999/"),
    ("ALLOWED_HOSTS", "play.example|.*"),
    ("ALLOWED_HOSTS", "https://play.example"),
    ("TOKENS_PER_MINUTE", ""),
    ("TOKENS_PER_MINUTE", "+5"),
    ("TOKENS_PER_MINUTE", "１２"),  # noqa: RUF001 - digits of another script
]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(unmade: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no .env is; `unmade` names databases and keys of the test's own."""
    monkeypatch.chdir(tmp_path)


def test_every_setting_is_in_this_table() -> None:
    assert GOOD_AND_BAD.keys() | ANY_TEXT == list_all_names()


@pytest.mark.parametrize("name", GOOD_AND_BAD)
def test_good_value_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, GOOD_AND_BAD[name][0])
    require_valid_settings()


@pytest.mark.parametrize(
    ("name", "value"), [*((name, bad) for name, (_, *bads) in GOOD_AND_BAD.items() for bad in bads), *MORE_BAD]
)
def test_invalid_value_is_refused_with_its_name_and_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as refusal:
        require_valid_settings()
    sentence = str(refusal.value)
    assert sentence.startswith(f"{name} is ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert any(part.strip() in sentence for part in value.split(","))


def test_several_bad_values_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENS_PER_MINUTE", "abc")
    monkeypatch.setenv("BUSY_TIMEOUT_MS", "-1")
    with pytest.raises(SystemExit) as refusal:
        require_valid_settings()
    names = [line.split(" is ")[0] for line in str(refusal.value).splitlines()]
    assert names == ["BUSY_TIMEOUT_MS", "TOKENS_PER_MINUTE"]


def test_scripts_refuse_too_short_a_time_limit_for_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSY_TIMEOUT_MS", "0")
    read_data_paths()
    monkeypatch.setenv("WORDS_DATABASE_URL", "postgresql://quintet@127.0.0.1/words")
    with pytest.raises(SystemExit, match="BUSY_TIMEOUT_MS is 0, but limits every read from PostgreSQL"):
        read_data_paths()


def test_scripts_refuse_a_bad_setting_of_traefik_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_IN_FLIGHT", "none")
    with pytest.raises(SystemExit, match="REQUESTS_IN_FLIGHT is 'none'"):
        read_data_paths()


@pytest.mark.parametrize(
    "line",
    [
        "TOKENS_PER_MINUTE=30 # a comment",
        "CORS_ORIGINS=https://a.example, https://b.example",
        'USERS_DATABASE_URL="sqlite:///var/a\\\\tb.db"',
        "LOG_FORMAT=json\u2028TOKENS_PER_MINUTE=5",
        "LOG_FORMAT=json\rTOKENS_PER_MINUTE=5",
        "LOG_FORMAT='json",
        "LOG_FORMAT =json",
        " LOG_FORMAT=json",
        "export LOG_FORMAT=json",
        "LOG_FORMAT= json",
        "LOG_FORMAT=json ",
        "USERS_DATABASE_URL=sqlite:///var/a#b.db",
        "USERS_DATABASE_URL=sqlite:///${HOME}/users.db",
        r"USERS_DATABASE_URL=sqlite:///var\users.db",
        "1LOG_FORMAT=json",
    ],
)
def test_line_that_runners_read_differently_is_refused(line: str, tmp_path: Path) -> None:
    write_dotenv(tmp_path, "# a comment", "", line)
    with pytest.raises(SystemExit, match=r"\.env, line 3: "):
        require_valid_settings()


@pytest.mark.parametrize(
    "line",
    [
        "LOG_FORMAT=json",
        "CORS_ORIGINS=",
        "CORS_ORIGINS=https://a.example,https://b.example",
        "CORS_ORIGINS='https://a.example, https://b.example'",
        "USERS_DATABASE_URL='sqlite:///var/with a blank.db'",
        'LOG_FORMAT="json"',
        "  # an indented comment",
        "AWS_REGION=eu-west-1",
        "DATABASE_URL=sqlite:///of-another-program.db",
    ],
)
def test_line_that_all_read_alike_is_taken(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERS_DATABASE_URL")
    write_dotenv(tmp_path, line, "# LOG_FORMAT = text")
    require_valid_settings()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("USERS_DATABSE_URL", r"did you mean USERS_DATABASE_URL\?"),
        ("TOKEN_PER_MINUTE", r"did you mean TOKENS_PER_MINUTE\?"),
        ("ALLOWED_HOST", r"did you mean ALLOWED_HOSTS\?"),
        ("CORS_ORIGIN", r"did you mean CORS_ORIGINS\?"),
        ("tokens_per_minute", r"did you mean TOKENS_PER_MINUTE\?"),
        ("GAMES_SOMETHING_ELSE", "docs/settings.md lists all settings."),
    ],
)
def test_misspelt_setting_is_refused(name: str, meant: str, tmp_path: Path) -> None:
    write_dotenv(tmp_path, f"{name}=1")
    with pytest.raises(SystemExit, match=rf"{name} in \.env is not a setting of Quintet: {meant}"):
        require_valid_settings()


@pytest.mark.parametrize("name", ["PORT", "PS", "HONCHO_PROCESS_NAME", "PROCFILE"])
def test_what_belongs_to_the_runners_is_refused_in_the_file(name: str, tmp_path: Path) -> None:
    write_dotenv(tmp_path, f"{name}=6000")
    with pytest.raises(SystemExit, match=rf"{name} in \.env is used differently by foreman and honcho"):
        require_valid_settings()


def test_setting_with_two_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dotenv(tmp_path, "LOG_FORMAT=json")
    monkeypatch.setenv("LOG_FORMAT", "text")
    with pytest.raises(SystemExit, match=r"LOG_FORMAT is 'json' in \.env and 'text' in the environment"):
        require_valid_settings()
    monkeypatch.setenv("LOG_FORMAT", "json")
    require_valid_settings()


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"LOG_FORMAT=\xff\xfe")
    with pytest.raises(SystemExit, match=r"\.env cannot be read"):
        require_valid_settings()


def test_of_a_name_that_comes_twice_the_last_value_counts() -> None:
    assert dotenv.read_entries("A=1\nB=2\nA=3\n") == {"A": "3", "B": "2"}


def test_settings_of_another_file_replace_those_in_force(
    unmade: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new.env"
    file.write_text("# larger\nSTATS_SHARD_URLS=sqlite:///a.db,sqlite:///b.db\n", encoding="utf-8")
    data_paths = read_data_paths(read_changes(file, known=list_all_names(), prefixes=PREFIXES))
    assert data_paths.shards == (Path("a.db"), Path("b.db"))
    assert data_paths.users == unmade.users


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("USERS_DATABASE_URL=sqlite:///a.db # new", r"new\.env, line 1: foreman, honcho"),
        ("USERS_DATABSE_URL=sqlite:///a.db", r"USERS_DATABSE_URL in .*new\.env is not a setting"),
        ("PORT=5000", r"PORT in .*new\.env is used differently"),
        ("USERS_DATABASE_URL=a.db", "USERS_DATABASE_URL is 'a.db': it "),
    ],
)
def test_faults_of_another_file_of_settings_are_named(line: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "new.env"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(SystemExit, match=sentence):
        read_data_paths(read_changes(file, known=list_all_names(), prefixes=PREFIXES))


def test_missing_file_of_settings_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nothing\.env cannot be read"):
        read_changes(tmp_path / "nothing.env", known=list_all_names(), prefixes=PREFIXES)
