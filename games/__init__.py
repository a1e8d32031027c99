"""The puzzles: one a day, whose answer nobody may see before it is solved."""

import sys

# httpx's command line, which it imports where it can: rich and pygments (schemathesis brings them), 3 MB an instance.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is how Python says: not to be had
