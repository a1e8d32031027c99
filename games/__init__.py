"""The puzzles, one a day, and the plays of the players."""

import sys

# httpx's command line, which it imports where it can: rich and pygments (schemathesis brings them), 3 MB an instance.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: the import fails
