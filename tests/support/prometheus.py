"""The configuration of Prometheus in share/prometheus, and the queries of docs/operating.md."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION, ALERTS = (ROOT / "share" / "prometheus" / name for name in ("prometheus.yml", "alerts.yml"))


@dataclass(frozen=True, slots=True)
class Target:
    address: str
    """Host and port."""
    labels: Mapping[str, str]
    """Those that Prometheus adds to every sample, `job` and `instance` included."""


@dataclass(frozen=True, slots=True)
class Selector:
    """`name{label="value"}` in an expression."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator and value."""

    def selects(self, name: str, labels: Mapping[str, str]) -> bool:
        """Unlike Prometheus, not where a label is missing: it would be misspelt."""
        return name == self.name and all(
            label in labels and is_match(labels[label], operator, wanted) for label, operator, wanted in self.matchers
        )


def is_match(value: str, operator: str, wanted: str) -> bool:
    """`wanted` is a regular expression where the operator has a tilde."""
    is_equal = re.fullmatch(wanted if "~" in operator else re.escape(wanted), value) is not None
    return is_equal != operator.startswith("!")


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file contains
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def list_targets() -> list[Target]:
    return [
        Target(address, {"job": job["job_name"], "instance": address, **group["labels"]})
        for job in read_yaml(CONFIGURATION)["scrape_configs"]
        for group in job["static_configs"]
        for address in group["targets"]
    ]


def read_alerts() -> dict[str, Any]:
    """The rules by their names."""
    return {rule["alert"]: rule for group in read_yaml(ALERTS)["groups"] for rule in group["rules"]}


def read_queries() -> list[str]:
    """Those of docs/operating.md, each with its comment."""
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```promql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [query.strip() for query in block.split("\n\n")]


def list_selectors(expression: str) -> Iterator[Selector]:
    """An identifier is a metric, unless a parenthesis follows it or it is a label of `by (...)`."""
    text = re.sub(r"#.*|\bby \([^)]*\)", "", expression)
    for name, matchers in re.findall(r"\b([a-z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?", text):
        yield Selector(name, tuple(re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', matchers)))


def list_grouping_labels(expression: str) -> set[str]:
    """The labels of every `by (...)`."""
    return {label for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in re.split(r",\s*", labels)}
