"""Project-wide rules: imports, SQL, routes, module size, and what is in git."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from servicekit.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
DATABASE_SERVICES = ("users", "words", "games", "stats")
SERVICES = (*DATABASE_SERVICES, "web")
PACKAGES = (*SERVICES, "servicekit")
LONGEST_ROUTE = 30
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CREATE|DROP|ALTER|PRAGMA|BEGIN|COMMIT|ROLLBACK)\b\s+\S")


def list_modules(*packages: str) -> list[Path]:
    """Paths of all modules of the packages, relative to the root."""
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
    """Yields each call with its function name, which for a method begins with a dot."""
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
def test_services_import_neither_each_other_nor_tools(package: str) -> None:
    forbidden = {*SERVICES, "tools", "tests"} - {package}
    found = {str(module): find_imported_packages(parse(module)) & forbidden for module in list_modules(package)}
    assert {module: names for module, names in found.items() if names} == {}


def test_services_and_tools_import_no_test_dependency() -> None:
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


def test_tests_import_shared_code_from_support_only() -> None:
    """A test module that another one needs can be neither renamed nor changed by itself."""
    imported = {
        f"{module}: {node.module}"
        for module in list_modules("tests")
        for node in ast.walk(parse(module))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tests.")
    }
    assert imported
    assert [name for name in sorted(imported) if ": tests.support." not in name] == []


# Imports the modules named in its arguments, and prints everything opened besides Python modules, Python's own files
# and /proc (not a disk; prometheus_client reads the boot time there).
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
    """Event and argument of everything opened by importing the modules in a new process with `folder` as its cwd."""
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


def test_importing_a_module_reads_no_settings_and_no_disk(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STATS_USERS_URL=nonsense\n", encoding="utf-8")
    modules = [".".join(module.with_suffix("").parts) for module in list_modules(*PACKAGES)]
    assert import_and_watch(tmp_path, *modules) == []
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_import_check_detects_opened_files_and_databases(tmp_path: Path) -> None:
    lines = ["import sqlite3", "open('.env').close()", "sqlite3.connect('some.db').close()"]
    (tmp_path / "careless.py").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / ".env").touch()
    assert import_and_watch(tmp_path, "careless") == [("open", ".env"), ("sqlite3.connect", "some.db")]


def test_every_dependency_is_async() -> None:
    """FastAPI runs a plain `def` dependency in a thread pool, which costs every request."""
    trees = [parse(module) for module in list_modules(*SERVICES)]
    functions = {
        function.name: function for module in list_modules(*PACKAGES) for function in find_functions(parse(module))
    }
    called = [
        ast.unparse(call.args[0])
        for tree in trees
        for name, call in find_calls(tree)
        if name in {"Depends", "Security"} and call.args
    ]
    assert called, "the services have dependencies"
    assert [name for name in called if not isinstance(functions[name], ast.AsyncFunctionDef)] == []


@pytest.mark.parametrize("module", list_modules(*SERVICES), ids=str)
def test_sql_is_in_queries_modules_only(module: Path) -> None:
    if module.name != "queries.py":
        texts = [node for node in ast.walk(parse(module)) if isinstance(node, ast.Constant)]
        assert [text.lineno for text in texts if isinstance(text.value, str) and SQL.match(text.value)] == []


@pytest.mark.parametrize("service", DATABASE_SERVICES)
def test_generated_sql_contains_no_text_arguments(service: str) -> None:
    """SQL is generated only by cached functions of numbers, booleans and enum members; values are bound parameters."""
    tree = parse(Path(service, "queries.py"))
    makers = [function for function in find_functions(tree) if "cache" in map(ast.unparse, function.decorator_list)]
    for function in makers:
        arguments = [*function.args.args, *function.args.kwonlyargs]
        kinds = {ast.unparse(argument.annotation or ast.Constant("")) for argument in arguments}
        assert kinds <= {"int", "bool", "Board", "Engine"}, f"{function.name} takes text"
    in_makers = {node for function in makers for node in ast.walk(function)}
    made = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.BinOp) and node not in in_makers]
    assert [ast.unparse(node) for node in made if SQL.search(ast.unparse(node))] == []


RULES = (
    *map(str, list_modules("games/rules")),
    "stats/results.py", "stats/standings.py", "stats/streaks.py", "stats/rounding.py", "stats/leaderboards.py",
    "stats/distribution.py", "stats/puzzles.py",
    "users/logins/limits.py", "users/accounts/names.py", "users/sessions/lifetime.py",
    "web/site.py", "words/spelling.py",
)  # fmt: skip


@pytest.mark.parametrize("module", [*RULES, *(f"{service}/queries.py" for service in DATABASE_SERVICES)])
def test_rules_and_queries_import_no_web_framework(module: str) -> None:
    assert find_imported_packages(parse(Path(module))) & {"fastapi", "starlette", "uvicorn", "httpx"} == set()


@pytest.mark.parametrize("module", list_modules(*SERVICES), ids=str)
def test_only_sql_constants_are_passed_to_the_database(module: Path) -> None:
    passed = [
        ast.unparse(call.args[0])
        for name, call in find_calls(parse(module))
        if re.fullmatch(r"\.(fetch_\w+|execute|execute_many|iterate|executescript)", name)
    ]
    assert [text for text in passed if not re.fullmatch(r"[A-Z_]+(\[\w+\.engine\])?|select_\w+\(.*\)", text)] == []


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
def test_modules_have_fewer_than_400_lines(module: Path) -> None:
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) < 400


def test_git_tracks_no_databases_or_generated_files() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("a source archive has no git repository")
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "pyproject.toml" in listing
    folder, file = r"(^|/)(var/|__pycache__/|\.venv(/|$))", r"\.(db|db-wal|db-shm|sqlite3?|pyc|so|exe|whl)$|(^|/)\.env$"
    made = re.compile(f"{folder}|{file}")
    assert [name for name in listing if made.search(name)] == ["var/.gitignore"]


def test_version_is_the_one_in_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
