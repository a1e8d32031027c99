"""The environment of a supervised command: that of its supervisor, with `.env` as it is when the command starts.

The runner puts the entries of `.env` into the environment of the supervisors once. They outlive it there, so a changed
URL would need a start of the whole suite.
"""

import os
from pathlib import Path

from dotenv import dotenv_values


class Environment:
    def __init__(self, dotenv: Path) -> None:
        """`dotenv`: the file, which may be missing. Its entries in this process's environment are the runner's."""
        self._dotenv = dotenv
        self._entries: dict[str, str] = {}
        self._base = {name: value for name, value in os.environ.items() if name not in self._read_entries()}

    def read(self) -> dict[str, str]:
        return self._base | self._read_entries()

    def _read_entries(self) -> dict[str, str]:
        """Those of before, if the file cannot be read now: an instance that died must start again."""
        try:
            entries = dotenv_values(self._dotenv, encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return self._entries
        self._entries = {name: value or "" for name, value in entries.items()}
        return self._entries
