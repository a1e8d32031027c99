"""The sections of a Markdown page, each of which begins with a heading of the second level."""

import re

BEFORE_HEADING = re.compile(r"^(?=## )", re.MULTILINE)


def find_section(page: str, heading: str) -> str:
    """With its heading, without line breaks at its end; empty if there is none."""
    parts = BEFORE_HEADING.split(page)
    return next((part.rstrip("\n") for part in parts if part.startswith(f"## {heading}\n")), "")


def replace_section(page: str, heading: str, text: str) -> str:
    """The page with another text below the heading; a new section comes last."""
    before, section = find_section(page, heading), f"## {heading}\n\n{text}"
    return page.replace(before, section) if before else f"{page}\n{section}\n"
