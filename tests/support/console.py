"""The console examples of the documents."""

import re

from tools.config.paths import ROOT


def read_console(document: str, title: str) -> list[tuple[str, str]]:
    """The commands of a section's console blocks, each with the output printed below it."""
    section = (ROOT / document).read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    lines = "".join(blocks).split("\n$ ")
    pairs = [line.removeprefix("$ ").partition("\n") for line in lines]
    return [(command, answer.strip()) for command, _, answer in pairs]
