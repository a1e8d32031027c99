"""The documents list all settings and scripts, and nothing else, and their links lead somewhere."""

import re
from itertools import chain
from pathlib import Path

import pytest
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

import games.settings
import stats.settings
import users.settings
import words.settings
from servicekit.settings import ServiceSettings
from tools.config.proxy_settings import ProxySettings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SETTINGS: list[type[ServiceSettings]] = [
    users.settings.Settings,
    words.settings.Settings,
    games.settings.Settings,
    stats.settings.Settings,
]
ROUTES = (ROOT / "routes.toml").read_text(encoding="utf-8")
LIMITS = dict(re.findall(r'\{\{ env "(\w+)" \| default "(\d+)" \}\}', ROUTES))
"""Traefik's settings that are numbers, and their defaults."""
OPENINGS = {"CORS_ORIGINS": "none", "ALLOWED_HOSTS": "any"}
"""Its others, which are empty by default, and what docs/settings.md says of that."""


def names_of(settings: type[ServiceSettings], name: str, field: FieldInfo) -> list[str]:
    """What a setting is called in the environment."""
    match field.validation_alias:
        case AliasChoices(choices=choices):
            return [str(choice) for choice in choices]
        case str(alias):
            return [alias]
    return [f"{settings.model_config['env_prefix']}{name}".upper()]


def default_of(field: FieldInfo) -> str:
    match field.default:
        case tuple(parts):
            return ",".join(parts)
        case bool(truth):
            return str(truth).lower()
    return str(field.default)


def all_settings() -> dict[str, str]:
    """Each setting's name in the environment, and its default."""
    fields = chain.from_iterable(((s, *item) for item in s.model_fields.items()) for s in SETTINGS)
    return {n: default_of(field) for s, name, field in fields for n in names_of(s, name, field)}


def test_the_page_of_settings_lists_each_with_its_default_and_no_other() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", page, re.MULTILINE)
    documented = {name: default.strip("`") for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    expected = all_settings() | LIMITS | OPENINGS | dict.fromkeys(("PS", "HONCHO_PROCESS_NAME"), "the service's name")
    assert documented == expected


def test_every_setting_that_a_user_may_change_stands_in_the_example_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"# [A-Z_]+=", line))
    runners = {"PS", "HONCHO_PROCESS_NAME"}
    assert example == {
        name: default for name, default in all_settings().items() if name not in runners
    } | LIMITS | dict.fromkeys(OPENINGS, "")


def test_every_setting_of_traefik_is_one_of_these_and_has_the_same_default_where_it_is_validated() -> None:
    assert set(re.findall(r'env "(\w+)"', ROUTES)) == {*LIMITS, *OPENINGS}
    fields = {name.upper(): field.default for name, field in ProxySettings.model_fields.items()}
    assert fields == {name: int(default) for name, default in LIMITS.items()} | {name: [] for name in OPENINGS}


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_has_a_description(settings: type[ServiceSettings]) -> None:
    for name, field in settings.model_fields.items():
        assert field.description, name


def test_the_readme_lists_every_script_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("\n## Scripts\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `bin/(\w+)", section, re.MULTILINE))
    assert documented == {path.name for path in (ROOT / "bin").iterdir()}


def list_anchors(document: Path) -> set[str]:
    """The fragments by which a page's headings are linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for link in re.findall(r"\]\(([^):]+)\)", document.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        assert not anchor or anchor in list_anchors(target), link
