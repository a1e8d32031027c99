"""promtool accepts the configuration and the queries, and each alert fires when it should, and only then."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from servicekit.observability.middleware import QUIET
from tests.support.prometheus import ALERTS, CONFIGURATION, ROOT, read_alerts, read_queries, read_yaml

TESTS = Path(__file__).with_name("alerts.test.yml")


def run_promtool(*arguments: str | Path) -> None:
    """Fails with promtool's own words."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: it is in Debian's prometheus, from which .ci/run takes it alone")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_configuration_is_valid() -> None:
    run_promtool("check", "config", CONFIGURATION)


def test_alert_rules_are_valid() -> None:
    run_promtool("check", "rules", ALERTS)


def test_each_alert_fires_when_it_should_and_only_then() -> None:
    run_promtool("test", "rules", TESTS)


def test_documented_queries_are_valid(tmp_path: Path) -> None:
    """As recording rules, since promtool parses no query by itself."""
    rules = [{"record": f"query{number}", "expr": query} for number, query in enumerate(read_queries())]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    run_promtool("check", "rules", path)


def test_each_alert_is_tested_firing_and_not_firing() -> None:
    cases = [case for test in read_yaml(TESTS)["tests"] for case in test["alert_rule_test"]]
    for name in read_alerts():
        assert {bool(case["exp_alerts"]) for case in cases if case["alertname"] == name} == {True, False}, name


def test_documents_list_every_alert_and_six_queries() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(Quintet\w+)` \|", page, re.MULTILINE) == list(read_alerts())
    assert len(read_queries()) >= 6
    assert all(query.startswith("# ") for query in read_queries())


def test_shares_and_percentiles_leave_out_health_checks() -> None:
    for name in ("QuintetServerErrors", "QuintetSlow"):
        excluded = re.findall(r'route!~"(.+?)"', read_alerts()[name]["expr"])
        assert excluded
        assert all(set(pattern.split("|")) == QUIET for pattern in excluded)


def test_each_alert_has_a_summary() -> None:
    assert all(rule["annotations"]["summary"].endswith(".") for rule in read_alerts().values())
