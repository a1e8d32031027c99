import argparse
import subprocess
from pathlib import Path

import pytest

from tools.config.paths import ROOT
from tools.wording import HelpFormatter, count

SCRIPTS = sorted(path.name for path in (ROOT / "bin").iterdir())


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 players"), (1, "1 player"), (2, "2 players"), (1000, "1,000 players")]
)
def test_number_has_its_noun(number: int, text: str) -> None:
    assert count(number, "player") == text


def test_paragraphs_are_filled_to_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = "one two three four five six seven eight\nnine ten\n\nand another paragraph"
    parser = argparse.ArgumentParser("bin/x", description=text, formatter_class=HelpFormatter)
    assert "one two three four five six seven\neight nine ten\n\nand another paragraph\n" in parser.format_help()


@pytest.mark.slow  # a process for each script
@pytest.mark.parametrize("script", [name for name in SCRIPTS if name not in {"python", "test"}])
def test_help_fits_80_columns_also_through_a_symlink(script: str, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(ROOT / "bin" / script)
    ended = subprocess.run(
        [link, "--help"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ended.stdout.startswith(f"usage: bin/{script}")
    assert max(map(len, ended.stdout.splitlines())) <= 80
