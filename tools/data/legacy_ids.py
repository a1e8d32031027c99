"""The ids of the users of an old database, for bin/shard: a user with an integer gets a random UUID; a UUID is kept.

A UUID may be stored as text in any of the usual spellings, or as 16 bytes in one of two byte orders. A column of SQLite
holds any of these side by side, so each stored value is mapped to its UUID.
"""

import sqlite3
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from string import hexdigits
from typing import TypeAlias, TypeGuard
from uuid import UUID, uuid4

UUID_BYTES = 16
HEX_DIGITS = 32
VERSIONS: Set[int | None] = frozenset(range(1, 9))
"""Of RFC 9562. A UUID of another variant than the RFC's has no version."""

StoredId: TypeAlias = int | float | str | bytes | None


class ByteOrder(StrEnum):
    BIG = "big"
    """As RFC 9562 has it, Python's `UUID.bytes`."""
    MIXED = "mixed"
    """Microsoft's, Python's `UUID.bytes_le`: the first three fields are little-endian."""


@dataclass(frozen=True, slots=True)
class Identities:
    ids: Mapping[StoredId, UUID]
    """By stored value, of all users whose user_id is of the kind; other spellings of them in games are here too."""
    kind: str
    """What more of the user_ids are: 'integer' or 'UUID'."""
    integers: Mapping[UUID, int]
    """The stored value by new UUID; empty where UUIDs are kept."""


def identify(legacy: sqlite3.Connection, byte_order: ByteOrder | None) -> Identities:
    """Raises SystemExit with a sentence if 16-byte ids neither tell their byte order nor agree with the given one."""
    users: list[StoredId] = [value for (value,) in legacy.execute("SELECT DISTINCT user_id FROM main.users")]
    integers = [value for value in users if isinstance(value, int)]
    if len(integers) >= sum(map(may_be_uuid, users)):
        given = {uuid4(): value for value in integers}
        return Identities({value: uuid for uuid, value in given.items()}, "integer", given)
    games: list[StoredId] = [value for (value,) in legacy.execute("SELECT DISTINCT user_id FROM main.games")]
    uuids = read_uuids({*users, *games}, byte_order)
    known = {uuids[value] for value in users if value in uuids}
    return Identities({value: uuid for value, uuid in uuids.items() if uuid in known}, "UUID", {})


def may_be_uuid(value: StoredId) -> bool:
    return parse_uuid(value) is not None if isinstance(value, str) else is_binary(value)


def is_binary(value: StoredId) -> TypeGuard[bytes]:
    return isinstance(value, bytes) and len(value) == UUID_BYTES


def read_uuids(values: Collection[StoredId], byte_order: ByteOrder | None) -> dict[StoredId, UUID]:
    """Of those values that are UUIDs. Raises SystemExit as `identify`."""
    uuids: dict[StoredId, UUID] = {}
    for value in values:
        if isinstance(value, str) and (uuid := parse_uuid(value)):
            uuids[value] = uuid
    binary = list(filter(is_binary, values))
    if binary:
        order = choose_byte_order(binary, byte_order)
        uuids.update((value, decode_uuid(value, order)) for value in binary)
    return uuids


def parse_uuid(text: str) -> UUID | None:
    """With or without hyphens, braces or `urn:uuid:`, in either case. None for any other text.

    uuid.UUID alone takes more: hyphens anywhere, and whatever int() takes for hexadecimal digits.
    """
    digits = text.lower().removeprefix("urn:uuid:")
    if digits.startswith("{") and digits.endswith("}"):
        digits = digits[1:-1]
    bare = digits.replace("-", "")
    if len(bare) != HEX_DIGITS or not set(bare) <= set(hexdigits):
        return None
    uuid = UUID(hex=bare)
    return uuid if digits in (bare, str(uuid)) else None


def decode_uuid(value: bytes, order: ByteOrder) -> UUID:
    """Of its 16 bytes."""
    return UUID(bytes=value) if order is ByteOrder.BIG else UUID(bytes_le=value)


def choose_byte_order(values: Collection[bytes], given: ByteOrder | None) -> ByteOrder:
    """Raises SystemExit as `identify`."""
    told = tell_byte_order(values)
    order = told or given
    if order is None:
        raise SystemExit(
            "The version and variant bits of the 16-byte ids do not tell their byte order: add --byte-order big or"
            " --byte-order mixed (bin/shard --help explains them)."
        )
    if given not in (None, order):
        raise SystemExit(f"The version and variant bits of the 16-byte ids contradict --byte-order {given}.")
    return order


def tell_byte_order(values: Collection[bytes]) -> ByteOrder | None:
    """The only order in which all are UUIDs of the RFC or, failing that, also of one version; None if there is none.

    Wrongly ordered, one id in two has a version by chance, and of several ids hardly ever the same one.
    """
    versions = {order: {decode_uuid(value, order).version for value in values} for order in ByteOrder}
    possible = [order for order in ByteOrder if versions[order] <= VERSIONS]
    if len(possible) > 1:
        possible = [order for order in possible if len(versions[order]) == 1]
    return possible[0] if len(possible) == 1 else None
