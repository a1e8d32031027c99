"""Which names new players may take. Older ones, from before this rule, may be anything."""

import re
from datetime import timedelta
from uuid import UUID

NEW_NAME = re.compile(r"[A-Za-z0-9_.-]{3,32}")
PLACEHOLDER = re.compile(r"deleted player [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RETIRED_FOR = timedelta(days=365)
"""How long no other player can take the name of an account that has ended."""


def check_new_name(name: str) -> str:
    """Raises ValueError with a sentence if the name may not be taken."""
    if not NEW_NAME.fullmatch(name):
        raise ValueError("a new name is 3 to 32 of the letters a-z and A-Z, digits, underscore, full stop and hyphen")
    return name


def make_placeholder(user_id: UUID) -> str:
    """The name of an account that has ended: unique by its id, and none that a player can take, by its blanks."""
    return f"deleted player {user_id}"


def is_placeholder(name: str, user_id: UUID) -> bool:
    """Whether the account with this id has ended."""
    return name == make_placeholder(user_id)


def is_placeholder_of_another(name: str, user_id: UUID) -> bool:
    """Whether the name is reserved for the end of an account with another id."""
    return PLACEHOLDER.fullmatch(name) is not None and not is_placeholder(name, user_id)


def name_key(username: str) -> str:
    """What a transaction locks that gives a name to a player, or takes it from one."""
    return f"name {username}"
