"""The pinned npm packages, and what a developer without Node.js, or without a connection, is told."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.npm import BROWSERS_FOLDER, FOLDER, install_packages, require_packages
from tests.support.servers import find_free_port


@pytest.mark.parametrize("folder", [FOLDER, BROWSERS_FOLDER])
def test_lock_pins_every_package_by_hash_and_names_no_server(folder: Path) -> None:
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    root = packages.pop("")
    assert all(re.fullmatch(r"[\d.]+", version) for version in root["devDependencies"].values())
    assert all("integrity" in package and "resolved" not in package for package in packages.values())


def test_tests_are_skipped_with_a_hint_without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="Debian: apt-get install nodejs npm"):
        require_packages()


@pytest.mark.slow
def test_unreachable_registry_fails_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (Debian: apt-get install nodejs npm)")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(FOLDER / name, tmp_path)
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{find_free_port()}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(pytest.fail.Exception, match=r"could not be installed: .*ECONNREFUSED"):
        install_packages(tmp_path)
