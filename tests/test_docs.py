"""The documents list exactly the settings, scripts and requests that exist, and have no broken links."""

import re
from itertools import chain
from pathlib import Path

import pytest
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

import games.problems
import games.settings
import stats.problems
import stats.settings
import users.problems
import users.settings
import web.settings
import words.settings
from servicekit.problems import Problem
from servicekit.settings import ServiceSettings
from tests.support.apps import APPS
from tests.support.openapi_checks import list_operations
from tools.config.proxy_settings import ProxySettings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SETTINGS: list[type[ServiceSettings]] = [
    users.settings.Settings,
    words.settings.Settings,
    games.settings.Settings,
    stats.settings.Settings,
    web.settings.Settings,
]
PROBLEM_TYPES: dict[str, tuple[type[Problem], ...]] = {
    "users": users.problems.TYPES,
    "games": games.problems.TYPES,
    "stats": stats.problems.TYPES,
}
ROUTES = (ROOT / "routes.toml").read_text(encoding="utf-8")
LIMITS = dict(re.findall(r'\{\{ env "(\w+)" \| default "(\d+)" \}\}', ROUTES))
"""Traefik's numeric settings and their defaults."""
EMPTY_BY_DEFAULT = {"CORS_ORIGINS": "none", "ALLOWED_HOSTS": "any"}
"""Traefik's other settings, which are empty by default, and how docs/settings.md describes that."""


def names_of(settings: type[ServiceSettings], name: str, field: FieldInfo) -> list[str]:
    """The environment variables of a setting."""
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
    """The default of each setting, by its environment variable."""
    fields = chain.from_iterable(((s, *item) for item in s.model_fields.items()) for s in SETTINGS)
    return {n: default_of(field) for s, name, field in fields for n in names_of(s, name, field)}


def test_settings_page_lists_every_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", page, re.MULTILINE)
    documented = {name: default.strip("`") for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    expected = (
        all_settings() | LIMITS | EMPTY_BY_DEFAULT | dict.fromkeys(("PS", "HONCHO_PROCESS_NAME"), "the service's name")
    )
    assert documented == expected


def test_env_example_lists_every_setting_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"# [A-Z_]+=", line))
    runners = {"PS", "HONCHO_PROCESS_NAME"}
    assert example == {
        name: default for name, default in all_settings().items() if name not in runners
    } | LIMITS | dict.fromkeys(EMPTY_BY_DEFAULT, "")


def test_traefik_settings_have_the_validated_defaults() -> None:
    assert set(re.findall(r'env "(\w+)"', ROUTES)) == {*LIMITS, *EMPTY_BY_DEFAULT}
    fields = {name.upper(): field.default for name, field in ProxySettings.model_fields.items()}
    assert fields == {name: int(default) for name, default in LIMITS.items()} | {name: [] for name in EMPTY_BY_DEFAULT}


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_has_a_description(settings: type[ServiceSettings]) -> None:
    for name, field in settings.model_fields.items():
        assert field.description, name


def test_documents_list_exactly_the_scripts() -> None:
    documented = []
    for document, heading in (("README.md", "Scripts"), ("docs/operating.md", "Other scripts")):
        section = (ROOT / document).read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        documented += re.findall(r"^\| `bin/(\w+)", section, re.MULTILINE)
    assert sorted(documented) == sorted(path.name for path in (ROOT / "bin").iterdir())


def test_readme_lists_exactly_the_requests() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([A-Z]+) (/api/\S+)` \|", readme, re.MULTILINE)
    operations = [
        (method, f"/api/{service}{path}".rstrip("/"))
        for service, app in APPS.items()
        for method, path, _ in list_operations(app.openapi())
        if path not in {"/live", "/health"}
    ]
    assert sorted(documented) == sorted(operations)


def list_anchors(document: Path) -> set[str]:
    """The anchors that GitHub generates for a page's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_existing_files_and_headings(document: Path) -> None:
    for link in re.findall(r"\]\(([^):]+)\)", document.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        assert not anchor or anchor in list_anchors(target), link


def test_problems_page_lists_every_type_with_its_advice() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(/api/.+?)` \| (\d+) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    kinds = [kind for kinds in PROBLEM_TYPES.values() for kind in kinds]
    assert rows == [(kind.type_uri, str(kind.status), kind.description, kind.advice) for kind in kinds]


def test_problem_pages_are_under_the_prefix_of_their_service() -> None:
    for service, kinds in PROBLEM_TYPES.items():
        assert all(re.fullmatch(rf"/api/{service}/problems/[a-z-]+", kind.type_uri) for kind in kinds)
