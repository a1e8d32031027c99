"""Which shard holds a key. The only place that knows: a change of this rule strands all stored data."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar
from uuid import UUID

S = TypeVar("S")


def shard_number(key: UUID, shards: int) -> int:
    """0 <= number < shards. Ids are random, so each shard gets its equal part."""
    return key.int % shards


class Shards(Generic[S]):
    """Anything there is one of a shard: databases, connections, files."""

    def __init__(self, items: Sequence[S]) -> None:
        if not items:
            raise ValueError("there must be at least one shard")
        self._items = tuple(items)

    def of(self, key: UUID) -> S:
        """The shard of a key."""
        return self._items[shard_number(key, len(self._items))]

    def __iter__(self) -> Iterator[S]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
