"""Which names new players may take. Older ones, from before this rule, may be anything."""

import re

NEW_NAME = re.compile(r"[A-Za-z0-9_.-]{3,32}")


def check_new_name(name: str) -> str:
    """Raises ValueError with a sentence if the name may not be taken."""
    if not NEW_NAME.fullmatch(name):
        raise ValueError("a new name is 3 to 32 of the letters a-z and A-Z, digits, underscore, full stop and hyphen")
    return name
