"""The rules of the house that a reader of one file cannot see."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("users", "words", "games", "stats")
PACKAGES = (*SERVICES, "servicekit")
LONGEST_ROUTE = 30
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|DROP|ALTER|PRAGMA|BEGIN|COMMIT|ROLLBACK)\b\s+\S")


def list_modules(*packages: str) -> list[Path]:
    """Relative to the root."""
    return sorted(path.relative_to(ROOT) for package in packages for path in (ROOT / package).rglob("*.py"))


def parse(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


def find_imported_packages(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names.add(str(node.module).split(".")[0])
    return names


def find_calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The last name of what is called, and the call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}", node
            if isinstance(node.func, ast.Name):
                yield node.func.id, node


def find_functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("package", PACKAGES)
def test_no_service_imports_another_and_servicekit_imports_none(package: str) -> None:
    forbidden = {*SERVICES, "tools", "tests"} - {package}
    found = {str(module): find_imported_packages(parse(module)) & forbidden for module in list_modules(package)}
    assert {module: names for module, names in found.items() if names} == {}


def test_services_and_scripts_import_no_test_package() -> None:
    """bin/run installs requirements.lock only."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    distributions = packages_distributions()
    imported = {name for module in list_modules(*PACKAGES, "tools") for name in find_imported_packages(parse(module))}
    needed = {name.lower().replace("_", "-") for package in imported for name in distributions.get(package, [])}
    assert "fastapi" in needed
    assert needed <= set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))


def test_only_tests_that_quick_leaves_out_start_the_suite() -> None:
    starting = {
        module.parts[1]
        for module in list_modules("tests")
        for node in ast.walk(parse(module))
        if isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & {"start_stack", "running_stack"}
    }
    assert starting == {"live", "faults"}


# Imports the modules that its arguments name, and prints what that opened beside modules, Python's own files and /proc:
# that is no disk, and prometheus_client looks there when the machine was started.
IMPORT_AND_WATCH = """
import importlib, json, os, sys
from pathlib import Path

opened = []

def watch(event, arguments):
    if event in ("open", "sqlite3.connect", "socket.connect"):
        opened.append((event, str(arguments[0])))

sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)

def is_harmless(path):
    homes = (sys.prefix, sys.base_prefix, "/proc")
    return path.suffix in (".py", ".pyc") or any(path.is_relative_to(home) for home in homes)

print(json.dumps([entry for entry in opened if entry[0] != "open" or not is_harmless(Path(entry[1]))]))
"""


def import_and_watch(folder: Path, *modules: str) -> list[tuple[str, str]]:
    """Kind of access and what was opened, in a Python that stands in `folder`."""
    run = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_AND_WATCH, *modules],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "STATS_SHARD_URLS": "nonsense", "BUSY_TIMEOUT_MS": "nonsense"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [(event, path) for event, path in json.loads(run.stdout)]


def test_importing_any_module_reads_no_settings_and_touches_no_disk(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STATS_USERS_URL=nonsense\n", encoding="utf-8")
    modules = [".".join(module.with_suffix("").parts) for module in list_modules(*PACKAGES)]
    assert import_and_watch(tmp_path, *modules) == []
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_the_watch_sees_what_is_opened(tmp_path: Path) -> None:
    lines = ["import sqlite3", "open('.env').close()", "sqlite3.connect('some.db').close()"]
    (tmp_path / "careless.py").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / ".env").touch()
    assert import_and_watch(tmp_path, "careless") == [("open", ".env"), ("sqlite3.connect", "some.db")]


def test_every_dependency_is_async() -> None:
    """A plain `def` would cost each request a hop to another thread."""
    trees = [parse(module) for module in list_modules(*SERVICES)]
    functions = {function.name: function for tree in trees for function in find_functions(tree)}
    called = [
        ast.unparse(call.args[0])
        for tree in trees
        for name, call in find_calls(tree)
        if name == "Depends" and call.args
    ]
    assert called, "the services have dependencies"
    assert [name for name in called if not isinstance(functions[name], ast.AsyncFunctionDef)] == []


@pytest.mark.parametrize("module", list_modules(*PACKAGES, "tools"), ids=str)
def test_nobody_calls_the_transaction_of_the_databases_package(module: Path) -> None:
    assert [call.lineno for name, call in find_calls(parse(module)) if name == ".transaction"] == []


@pytest.mark.parametrize("module", list_modules(*SERVICES), ids=str)
def test_sql_is_in_queries_only_and_is_made_there_once(module: Path) -> None:
    tree = parse(module)
    if module.name == "queries.py":
        inside = [
            call.lineno
            for function in find_functions(tree)
            for name, call in find_calls(function)
            if name == "Statement" and "cache" not in ast.unparse(function)
        ]
        assert inside == [], "a Statement is a constant, or cached"
    else:
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        assert [text.lineno for text in texts if SQL.match(str(text.value))] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_value_is_bound_since_no_text_that_comes_in_can_get_into_a_statement(service: str) -> None:
    tree = parse(Path(service, "queries.py"))
    statements = [call for name, call in find_calls(tree) if name == "Statement"]
    assert statements
    made_in_functions = []
    for function in find_functions(tree):
        inside = [call for name, call in find_calls(function) if name == "Statement"]
        made_in_functions += inside
        arguments = [*function.args.args, *function.args.kwonlyargs]
        kinds = {ast.unparse(argument.annotation or ast.Constant("")) for argument in arguments}
        assert not inside or kinds <= {"int", "bool", "Board"}, f"{function.name} is given text"
    for call in statements:
        assert call in made_in_functions or isinstance(call.args[0], ast.Constant), ast.unparse(call)


@pytest.mark.parametrize("module", list_modules(*SERVICES), ids=str)
def test_a_database_is_handed_statements_only(module: Path) -> None:
    handed = [
        ast.unparse(call.args[0])
        for name, call in find_calls(parse(module))
        if re.fullmatch(r"\.(fetch_\w+|execute|execute_many|iterate|executescript)", name)
    ]
    assert [text for text in handed if not re.fullmatch(r"[A-Z_]+|select_\w+\(.*\)", text)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_routes_are_short_and_async(service: str) -> None:
    functions = list(find_functions(parse(Path(service, "routes.py"))))
    assert functions
    too_long = {
        function.name: lines
        for function in functions
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_ROUTE
    }
    assert too_long == {}
    routes = [function for function in functions if function.decorator_list]
    assert [route.name for route in routes if not isinstance(route, ast.AsyncFunctionDef)] == []


@pytest.mark.parametrize("module", list_modules(*PACKAGES, "tools", "tests"), ids=str)
def test_no_module_is_over_four_hundred_lines(module: Path) -> None:
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) < 400


def test_git_has_no_database_and_nothing_that_is_made() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("a source archive: there is no git to ask")
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "pyproject.toml" in listing
    made = re.compile(r"(^|/)(var|\.venv|__pycache__)/|\.(db|db-wal|db-shm|sqlite3?|pyc|so|exe|whl)$|(^|/)\.env$")
    assert [name for name in listing if made.search(name)] == []


def test_games_leaves_the_command_line_of_httpx_out_of_memory() -> None:
    program = "import sys, games.app; print(sorted({'httpx', 'rich', 'pygments'} & sys.modules.keys()))"
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert output == "['httpx']\n"
