"""The npm packages of tests: linters of OpenAPI documents and what a client in TypeScript needs; Lighthouse."""

import fcntl
import filecmp
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.config.paths import ROOT

FOLDER = ROOT / "tests" / "openapi"
BROWSERS_FOLDER = ROOT / "tests" / "live" / "browsers"
"""Of its own: its hundred packages are needed by the long tests only."""
OLDEST_NODE = 18
"""Debian 12's. Redocly CLI declares 20.19 and works with 18.20, too."""
INSTALL_TIMEOUT_S = 240


def require_packages(folder: Path = FOLDER) -> Path:
    """The folder with the commands of the packages that a folder pins. Skips the test without Node.js, and fails it if
    they cannot be installed."""
    if find_node_version() < OLDEST_NODE or shutil.which("npm") is None:
        pytest.skip(f"Node.js {OLDEST_NODE} or newer and npm are not installed (Debian: apt-get install nodejs npm)")
    install_packages(folder)
    return folder / "node_modules" / ".bin"


def find_node_version() -> int:
    """The first number of the version, 20; 0 if it is not installed."""
    if shutil.which("node") is None:
        return 0
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", answer)
    return int(version[1]) if version else 0


def install_packages(folder: Path) -> None:
    """Installs what package-lock.json pins, unless that is installed; one process does, others wait for it."""
    lock, installed = folder / "package-lock.json", folder / "node_modules" / "installed-lock.json"
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not installed.exists() or not filecmp.cmp(lock, installed, shallow=False):
            run_npm_ci(folder)
            shutil.copyfile(lock, installed)  # last, so that an interrupted installation is repeated
    finally:
        os.close(descriptor)


def run_npm_ci(folder: Path) -> None:
    command = ["npm", "ci", "--no-progress", "--loglevel=error"]
    reason = f"npm took longer than {INSTALL_TIMEOUT_S} s"
    try:
        ended = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        pass
    else:
        if ended.returncode == 0:
            return
        reason = ended.stderr.strip()
    pytest.fail(f"The npm packages of {folder} could not be installed: {reason}", pytrace=False)
