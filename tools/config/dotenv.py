"""Validates .env: a line that foreman, honcho and pydantic-settings parse differently is refused.

foreman and honcho pass .env to the processes, and pydantic-settings reads it in the scripts. foreman takes a value
literally, with blanks and `#`; honcho strips blanks, quotes and backslashes, and ends the value at a `#`. So each line
is parsed in all three ways.
"""

import io
import os
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from honcho.environ import parse

LINE = re.compile(r"([A-Za-z_0-9]+)=(.*)")
OTHER_LINE_ENDS = re.compile(r"[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Characters at which Python splits lines and foreman does not."""
RUNNER_VARIABLES = ("PORT", "PS", "HONCHO_PROCESS_NAME", "PROCFILE")
"""Variables with which runners number ports and name processes; in .env, foreman and honcho rank them differently."""
SIMILARITY_CUTOFF = 0.88
"""Of difflib: TOKEN_PER_MINUTE counts as misspelt, but DATABASE_URL is not taken for USERS_DATABASE_URL."""


def parse_as_foreman(line: str) -> dict[str, str]:
    """Follows lib/foreman/env.rb."""
    match = LINE.fullmatch(line)
    if match is None:
        return {}
    name, value = match.groups()
    if len(value) > 1 and value[0] == value[-1] == "'":
        value = value[1:-1]
    elif len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1].replace(r"\n", "\n"))
    return {name: value}


def parse_as_honcho(line: str) -> dict[str, str] | None:
    """None if honcho fails on the line. It drops a name with an empty value, which makes no difference to a setting."""
    try:
        return dict(parse(line))
    except ValueError:
        return None


def is_unambiguous(line: str) -> bool:
    """Whether foreman, honcho and pydantic-settings agree."""
    by_foreman = parse_as_foreman(line)
    by_pydantic = {name: value or "" for name, value in dotenv_values(stream=io.StringIO(line)).items()}
    by_honcho = parse_as_honcho(line)
    return by_foreman == by_pydantic and by_honcho == {name: value for name, value in by_foreman.items() if value}


def find_line_faults(text: str, name: str = ".env") -> Iterator[str]:
    """A sentence for each line that the programs parse differently; `name` is the file's."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if OTHER_LINE_ENDS.search(line) or not is_unambiguous(line):
            yield (
                f"{name}, line {number}: foreman, honcho and the scripts parse {line!r} differently. Write NAME=value,"
                " without blanks, quotes, # or \\ outside of '...'."
            )


def read_entries(text: str) -> dict[str, str]:
    """Parses a file without faults. The last value of a repeated name wins, as in all three programs."""
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}


def find_conflicts(entries: Mapping[str, str], environment: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    """A sentence for each setting with two values: the runners prefer .env, pydantic-settings the environment."""
    for name, value in entries.items():
        other = environment.get(name)
        if name in known and other is not None and other != value:
            yield f"{name} is {value!r} in .env and {other!r} in the environment: set it in one of them only."


def find_misspelt(
    entries: Collection[str], known: Collection[str], prefixes: Collection[str], file: str = ".env"
) -> Iterator[str]:
    """A sentence for each name that resembles a setting: a misspelt setting would be ignored silently."""
    for name in entries:
        if name in RUNNER_VARIABLES:
            yield f"{name} in {file} is used differently by foreman and honcho: remove it."
        elif name not in known:
            similar = get_close_matches(name.upper(), known, n=1, cutoff=SIMILARITY_CUTOFF)
            if similar or name.upper().startswith(tuple(prefixes)):
                hint = f"did you mean {similar[0]}?" if similar else "docs/settings.md lists all settings."
                yield f"{name} in {file} is not a setting of Quintet: {hint}"


def read_text(path: Path, name: str) -> str:
    """Raises SystemExit with a sentence if the file is not UTF-8 text."""
    try:
        return path.read_bytes().decode()
    except (UnicodeDecodeError, OSError) as error:
        raise SystemExit(f"{name} cannot be read ({error}).") from error


def read_dotenv(folder: Path) -> str:
    """Empty if there is no such file. Raises as `read_text`."""
    path = folder / ".env"
    return read_text(path, path.name) if os.path.lexists(path) else ""


def read_changes(path: Path, *, known: Collection[str], prefixes: Collection[str]) -> dict[str, str]:
    """The settings in a file of the form of `.env`, by name. Raises SystemExit with its faults."""
    text = read_text(path, str(path))
    if faults := list(find_line_faults(text, str(path))):
        raise SystemExit("\n".join(faults))
    entries = read_entries(text)
    if faults := list(find_misspelt(entries, known, prefixes, str(path))):
        raise SystemExit("\n".join(faults))
    return entries


def find_dotenv_faults(folder: Path, *, known: Collection[str], prefixes: Collection[str]) -> list[str]:
    """A sentence for each fault in the .env of a folder."""
    text = read_dotenv(folder)
    if faults := list(find_line_faults(text)):
        return faults
    entries = read_entries(text)
    return [*find_conflicts(entries, os.environ, known), *find_misspelt(entries, known, prefixes)]
