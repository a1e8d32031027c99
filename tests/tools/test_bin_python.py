"""bin/python in a project of its own, whose lock file names no package."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE

import pytest

from tools.config.paths import ROOT

TIMEOUT_S = 120
pytestmark = pytest.mark.slow  # makes virtual environments


class Project:
    """A folder with bin/python, and a `python3` that is the only one on the PATH."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        (root / "bin").mkdir(parents=True)
        shutil.copy2(ROOT / "bin" / "python", root / "bin" / "python")
        self.write_lock("# no packages\n")
        self.interpreter = root / "with a blank" / "python3"
        self.interpreter.parent.mkdir()
        self.interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        self.interpreter.chmod(0o755)
        self.environment = {"PATH": f"{self.interpreter.parent}:/usr/bin:/bin"}

    def write_lock(self, text: str) -> None:
        (self.root / "requirements.lock").write_text(text, encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [str(self.root / "bin" / "python"), *arguments]
        return subprocess.Popen(command, env=self.environment, stdout=PIPE, stderr=PIPE, text=True)

    def run(self, *arguments: str) -> tuple[int | None, str, str]:
        (ended,) = wait_for([self.start(*arguments)])
        return ended


def wait_for(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int | None, str, str]]:
    """Exit status, stdout and stderr of each."""
    outputs = [process.communicate(timeout=TIMEOUT_S) for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def test_of_processes_that_start_together_one_installs(project: Project) -> None:
    ended = wait_for([project.start("-c", "print('runs')") for _ in range(5)])
    assert [(status, out) for status, out, _ in ended] == [(0, "runs\n")] * 5
    assert sum("Installing" in errors for _, _, errors in ended) == 1


def test_changed_lock_file_keeps_a_running_suites_packages(project: Project) -> None:
    project.run()
    (package,) = project.venv.glob("lib/python3.*/site-packages/pip")
    used = package / "used_by_a_suite.py"
    used.touch()
    project.write_lock("# no packages either\n")
    status, _, errors = project.run()
    assert (status, "Installing" in errors) == (0, True)
    assert used.exists()
    assert project.run() == (0, "", "")


@pytest.mark.faults  # makes two virtual environments, which takes 4 s of CPU time each
def test_missing_interpreter_is_installed_again(project: Project) -> None:
    project.run()
    (project.venv / "bin" / "python").unlink()
    status, out, errors = project.run("-c", "print('runs')")
    assert (status, out, "Installing" in errors) == (0, "runs\n", True)


@pytest.mark.faults  # as above
def test_path_of_a_chosen_interpreter_may_have_blanks(project: Project) -> None:
    project.environment |= {"PATH": "/usr/bin:/bin", "PYTHON": str(project.interpreter)}
    assert project.run("-c", "print('runs')")[:2] == (0, "runs\n")


def test_interpreter_that_does_not_exist_is_refused(project: Project) -> None:
    project.environment["PYTHON"] = "/nowhere/at all/python3"
    status, _, errors = project.run()
    assert (status, errors.partition(":")[0]) == (1, "Quintet needs Python 3.11 or newer and found none")
