"""What CI runs where it can install nothing: a copy of .ci/run with stubs of the commands."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STUB = "#!/bin/sh\n{}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with .ci/run, a bin/test that prints its name, and the commands of a machine without a network."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    write_stub(tmp_path / "bin" / "test", "echo bin/test")
    for name in ("bash", "dirname"):
        write_stub(tmp_path / "commands" / name, f'exec {shutil.which(name)} "$@"')
    for name in ("foreman", "chromium-headless-shell", "npm"):
        write_stub(tmp_path / "commands" / name, "")
    write_stub(tmp_path / "commands" / "node", "echo 18")
    write_stub(tmp_path / "commands" / "apt-get", "exit 100")
    return tmp_path


def write_stub(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(STUB.format(body), encoding="utf-8")
    path.chmod(0o755)


def run(project: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(project / "commands")}
    return subprocess.run([project / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False)


def test_missing_optional_programs_are_noted_and_the_tests_run(project: Path) -> None:
    ended = run(project)
    assert (ended.returncode, ended.stdout) == (0, "bin/test\n")
    assert ended.stderr == (
        "Without promtool, tests of the alerts are skipped.\n"
        "Without patroni and etcd, the tests of fail-overs are skipped (bin/test --faults).\n"
    )


def test_complete_machine_installs_nothing(project: Path) -> None:
    for name in ("promtool", "patroni", "etcd"):
        write_stub(project / "commands" / name, "")
    write_stub(project / "commands" / "apt-get", "echo installed")
    ended = run(project)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "bin/test\n", "")


@pytest.mark.parametrize("fault", ["no foreman", "no chromium-headless-shell", "no npm", "old node"])
def test_ci_fails_where_tests_would_be_skipped(project: Path, fault: str) -> None:
    if fault == "old node":
        write_stub(project / "commands" / "node", "echo 16")
    else:
        (project / "commands" / fault.removeprefix("no ")).unlink()
    ended = run(project)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("CI needs foreman, chromium-headless-shell, and Node.js 18 or newer with npm")
