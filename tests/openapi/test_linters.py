"""Spectral and Redocly CLI have nothing to say about the OpenAPI documents, by the rules that they recommend."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.apps import APPS
from tests.support.npm import FOLDER, require_packages

pytestmark = pytest.mark.slow
LINTERS = {
    "spectral": ("lint", "--quiet", f"--ruleset={FOLDER / '.spectral.yaml'}"),
    "redocly": ("lint", f"--config={FOLDER / 'redocly.yaml'}"),
}
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
"""Environment without requests to the vendor."""


def lint(linter: str, folder: Path) -> str:
    """What a linter finds in the documents of a folder, each below its name."""
    ended = subprocess.run(
        [require_packages() / linter, *LINTERS[linter], *sorted(folder.iterdir())],
        env={**os.environ, **QUIET},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.stdout


@pytest.mark.parametrize("linter", LINTERS)
def test_linter_objects_to_a_broken_document_only(linter: str, tmp_path: Path) -> None:
    documents = {tmp_path / f"{service}.json": app.openapi() for service, app in APPS.items()}
    broken = json.loads(json.dumps(APPS["words"].openapi()))
    del broken["paths"]["/{word}"]["get"]["operationId"]
    for path, document in {**documents, tmp_path / "broken.json": broken}.items():
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    found = lint(linter, tmp_path)
    assert "broken.json" in found
    assert "operation-operationId" in found
    assert [path.name for path in documents if path.name in found] == [], found
