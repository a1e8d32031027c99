"""Maps the user_ids of an old database to UUIDs, for bin/shard: an integer to a random one, a UUID to itself.

A UUID may be stored as text in any of the usual spellings, or as 16 bytes in one of two byte orders. A column of SQLite
may mix these, so the mapping is from each stored value.
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
"""The versions of RFC 9562. A UUID of another variant has no version."""

StoredId: TypeAlias = int | float | str | bytes | None


class ByteOrder(StrEnum):
    BIG = "big"
    """As in RFC 9562; Python's `UUID.bytes`."""
    MIXED = "mixed"
    """As in Microsoft's GUIDs, with the first three fields little-endian; Python's `UUID.bytes_le`."""


@dataclass(frozen=True, slots=True)
class IdMapping:
    ids: Mapping[StoredId, UUID]
    """From the stored values of users and, for UUIDs, also from other spellings of them in games."""
    kind: str
    """The type of most user_ids: 'integer' or 'UUID'. Those of the other type are not mapped."""
    integers: Mapping[UUID, int]
    """From the new UUIDs to the stored integers; empty if UUIDs are kept."""


def map_ids(legacy: sqlite3.Connection, byte_order: ByteOrder | None) -> IdMapping:
    """Raises SystemExit with a sentence if the byte order of 16-byte ids is unknown, or contradicts the given one."""
    users: list[StoredId] = [value for (value,) in legacy.execute("SELECT DISTINCT user_id FROM main.users")]
    integers = [value for value in users if isinstance(value, int)]
    if len(integers) >= sum(map(may_be_uuid, users)):
        given = {uuid4(): value for value in integers}
        return IdMapping({value: uuid for uuid, value in given.items()}, "integer", given)
    games: list[StoredId] = [value for (value,) in legacy.execute("SELECT DISTINCT user_id FROM main.games")]
    uuids = read_uuids({*users, *games}, byte_order)
    known = {uuids[value] for value in users if value in uuids}
    return IdMapping({value: uuid for value, uuid in uuids.items() if uuid in known}, "UUID", {})


def may_be_uuid(value: StoredId) -> bool:
    return parse_uuid(value) is not None if isinstance(value, str) else is_binary(value)


def is_binary(value: StoredId) -> TypeGuard[bytes]:
    return isinstance(value, bytes) and len(value) == UUID_BYTES


def read_uuids(values: Collection[StoredId], byte_order: ByteOrder | None) -> dict[StoredId, UUID]:
    """Maps the values that are UUIDs. Raises SystemExit as `map_ids`."""
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
    """Accepts upper and lower case, with or without hyphens, braces or `urn:uuid:`. Returns None for any other text.

    uuid.UUID accepts more: hyphens anywhere, and all that int() accepts as hexadecimal digits.
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
    return UUID(bytes=value) if order is ByteOrder.BIG else UUID(bytes_le=value)


def choose_byte_order(values: Collection[bytes], given: ByteOrder | None) -> ByteOrder:
    """Raises SystemExit as `map_ids`."""
    order = infer_byte_order(values) or given
    if order is None:
        raise SystemExit(
            "The version and variant bits of the 16-byte ids do not show their byte order: add --byte-order big or"
            " --byte-order mixed (bin/shard --help explains them)."
        )
    if given not in (None, order):
        raise SystemExit(f"The version and variant bits of the 16-byte ids contradict --byte-order {given}.")
    return order


def infer_byte_order(values: Collection[bytes]) -> ByteOrder | None:
    """The order in which all values have a version of RFC 9562; if both do, the one in which all have the same version.

    None if that is no order, or both. In the wrong order, half of the ids have a version by chance, but several ids
    rarely have the same one.
    """
    versions = {order: {decode_uuid(value, order).version for value in values} for order in ByteOrder}
    possible = [order for order in ByteOrder if versions[order] <= VERSIONS]
    if len(possible) > 1:
        possible = [order for order in possible if len(versions[order]) == 1]
    return possible[0] if len(possible) == 1 else None
