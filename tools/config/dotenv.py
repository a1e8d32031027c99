"""The file .env: whether every program that reads it reads the same.

foreman and honcho each pass it to the processes, and pydantic-settings reads it in the scripts. foreman takes a value
as it stands, with blanks and `#`; honcho drops blanks, ends at a `#`, and takes quotes and backslashes away. So each
line is read in all three ways, and refused where they differ.
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
"""At which Python splits lines and foreman does not."""
RUNNERS_OWN = ("PORT", "PS", "HONCHO_PROCESS_NAME", "PROCFILE")
"""By which a runner numbers ports and names processes: foreman and honcho give them different weight in .env."""
SIMILAR = 0.88
"""How alike a misspelt name is: TOKEN_PER_MINUTE is found, DATABASE_URL is no USERS_DATABASE_URL."""


def read_as_foreman(line: str) -> dict[str, str]:
    """What lib/foreman/env.rb makes of a line."""
    match = LINE.fullmatch(line)
    if match is None:
        return {}
    name, value = match.groups()
    if len(value) > 1 and value[0] == value[-1] == "'":
        value = value[1:-1]
    elif len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1].replace(r"\n", "\n"))
    return {name: value}


def read_as_honcho(line: str) -> dict[str, str] | None:
    """None if it cannot be read. An empty value is none to honcho, which makes no difference to a setting."""
    try:
        return dict(parse(line))
    except ValueError:
        return None


def is_read_alike(line: str) -> bool:
    by_foreman = read_as_foreman(line)
    by_pydantic = {name: value or "" for name, value in dotenv_values(stream=io.StringIO(line)).items()}
    by_honcho = read_as_honcho(line)
    return by_foreman == by_pydantic and by_honcho == {name: value for name, value in by_foreman.items() if value}


def find_line_faults(text: str) -> Iterator[str]:
    """A sentence for each line that not all programs read alike."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if OTHER_LINE_ENDS.search(line) or not is_read_alike(line):
            yield (
                f".env, line {number}: foreman and honcho read {line!r} in different ways. Write NAME=value, without"
                " blanks, quotes, # or \\ outside of '...'."
            )


def read_entries(text: str) -> dict[str, str]:
    """Of a file without faults; of a name that comes twice the last value counts, as for all programs."""
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}


def find_conflicts(entries: Mapping[str, str], environment: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    """The runners prefer .env to the environment, and pydantic-settings the environment to .env."""
    for name, value in entries.items():
        other = environment.get(name)
        if name in known and other is not None and other != value:
            yield f"{name} is {value!r} in .env and {other!r} in the environment: set it in one of them only."


def find_misspelt(entries: Collection[str], known: Collection[str], prefixes: Collection[str]) -> Iterator[str]:
    """Names that look like ours and are none: a misspelt setting would be ignored without a word."""
    for name in entries:
        if name in RUNNERS_OWN:
            yield f"{name} in .env is read by foreman and honcho in different ways: take it out."
        elif name not in known:
            similar = get_close_matches(name.upper(), known, n=1, cutoff=SIMILAR)
            if similar or name.upper().startswith(tuple(prefixes)):
                meant = f": {similar[0]} is one" if similar else ": docs/settings.md has their names"
                yield f"{name} in .env is no setting of Quintet{meant}."


def read_dotenv(folder: Path) -> str:
    """Empty if there is no such file. Raises SystemExit with a sentence if it is not UTF-8 text."""
    try:
        return (folder / ".env").read_bytes().decode()
    except FileNotFoundError:
        return ""
    except (UnicodeDecodeError, OSError) as error:
        raise SystemExit(f".env cannot be read ({error}).") from error


def find_faults(folder: Path, *, known: Collection[str], prefixes: Collection[str]) -> list[str]:
    """Sentences about the .env of a folder; none if all is well."""
    text = read_dotenv(folder)
    if faults := list(find_line_faults(text)):
        return faults
    entries = read_entries(text)
    return [*find_conflicts(entries, os.environ, known), *find_misspelt(entries, known, prefixes)]
