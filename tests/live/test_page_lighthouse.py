"""Lighthouse, from npm, on both pages: the median of three runs each, as a phone and as a desktop."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import pytest

from tests.support.chromium import BROWSERS, FLAGS, require_executable
from tests.support.fault_project import Figures
from tests.support.npm import BROWSERS_FOLDER, require_packages
from tools.process.stack import Stack

pytestmark = pytest.mark.faults
RUNS = 3
TIMEOUT_S = 120
LEAST = {"performance": 0.95, "accessibility": 1, "best-practices": 1, "seo": 1}
MAX_LAYOUT_SHIFT = 0.02
FORMS: dict[str, Sequence[str]] = {"phone": (), "desktop": ("--preset=desktop",)}
Report = dict[str, Any]


def run_lighthouse(url: str, form: str) -> Report:
    flags = " ".join(("--headless", *FLAGS))
    options = (f"--only-categories={','.join(LEAST)}", f"--chrome-flags={flags}", *FORMS[form])
    ended = subprocess.run(
        [require_packages(BROWSERS_FOLDER) / "lighthouse", url, "--quiet", "--output=json", *options],
        env={**os.environ, "CHROME_PATH": require_executable(*BROWSERS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert ended.returncode == 0, ended.stderr
    report: Report = json.loads(ended.stdout)
    return report


def find_failed_audits(report: Report) -> Iterator[str]:
    """Of the categories that must be perfect."""
    for name, category in report["categories"].items():
        for audit in category["auditRefs"]:
            score = report["audits"][audit["id"]]["score"]
            if name != "performance" and audit["weight"] and score is not None and score < 1:
                yield audit["id"]


def list_statuses(report: Report) -> set[int]:
    return {item["statusCode"] for item in report["audits"]["network-requests"]["details"]["items"]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ["/", "/suite"])
def test_page_is_fast_accessible_and_steady(stack: Stack, figures: Figures, path: str, form: str) -> None:
    reports = [run_lighthouse(f"{stack.url}{path}", form) for _ in range(RUNS)]
    scores = {name: median(report["categories"][name]["score"] for report in reports) for name in LEAST}
    shift = median(report["audits"]["cumulative-layout-shift"]["numericValue"] for report in reports)
    figures(f"Lighthouse, {path} on a {form}: {scores}, layout shift {shift:.3f}")
    assert {audit for report in reports for audit in find_failed_audits(report)} == set()
    assert all(scores[name] >= least for name, least in LEAST.items()), scores
    assert shift <= MAX_LAYOUT_SHIFT
    assert max(status for report in reports for status in list_statuses(report)) < 400
