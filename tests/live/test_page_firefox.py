"""The page in Firefox, driven by Puppeteer with WebDriver BiDi: a whole game, dialogs, and the page of the suite."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.npm import BROWSERS_FOLDER, require_packages
from tools.process.stack import Stack

TIMEOUT_S = 120
EXPECTED = [
    "a visitor's guess opens the dialog to sign up",
    "the guess is on the board",
    "the play is won",
    "a reload shows it again",
    "statistics have a calendar",
    "leaderboards have the player's place",
    "the suite answers",
    "a request is followed",
]


def require_firefox() -> str:
    """The path of the browser. Skips the test where there is none."""
    executable = shutil.which("firefox-esr") or shutil.which("firefox")
    if executable is None:
        pytest.skip("there is no Firefox (Debian: apt-get install firefox-esr)")
    return executable


def test_firefox_that_is_missing_skips_the_test_with_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="Debian: apt-get install firefox-esr"):
        require_firefox()


@pytest.mark.faults
def test_page_works_in_firefox_without_an_error(stack: Stack, answer: str, wrong: list[str]) -> None:
    firefox = require_firefox()
    require_packages(BROWSERS_FOLDER)
    command = ("node", str(BROWSERS_FOLDER / "play_in_firefox.mjs"), firefox, stack.url, wrong[0], answer)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    assert (ended.stderr, ended.stdout.splitlines(), ended.returncode) == ("", EXPECTED, 0)
