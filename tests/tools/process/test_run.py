"""What bin/run passes to the runner; tests/live starts whole suites."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.process import run


@pytest.mark.skipif(shutil.which("ruby") is None, reason="ruby is not installed")
def test_foreman_loads_its_signals_from_a_path_with_blanks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "with blanks"
    folder.mkdir()
    (folder / "foreman_signals.rb").write_text("puts 'loaded'", encoding="utf-8")
    monkeypatch.setattr(run, "RUBY_FOLDER", folder)
    environment = run.runner_environment("foreman")
    ruby = subprocess.run(["ruby", "-e", "1"], env=environment, capture_output=True, text=True, check=True)
    assert ruby.stdout == "loaded\n"


def test_options_that_ruby_has_already_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUBYLIB", "/srv/ruby")
    monkeypatch.setenv("RUBYOPT", "-W0")
    environment = run.runner_environment("foreman")
    assert environment["RUBYLIB"] == f"{run.RUBY_FOLDER}:/srv/ruby"
    assert environment["RUBYOPT"] == "-W0 -rforeman_signals"
