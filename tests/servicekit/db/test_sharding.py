import random
from collections import Counter
from uuid import UUID

import pytest

from servicekit.db.sharding import Shards, shard_number

PINNED = {
    "00000000-0000-0000-0000-000000000000": 0,
    "00000000-0000-0000-0000-000000000001": 1,
    "00000000-0000-0000-0000-000000000002": 2,
    "00000000-0000-0000-0000-000000000100": 1,
    "01000000-0000-0000-0000-000000000000": 1,
    "02000000-0000-0000-0000-000000000000": 2,
    "5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11": 1,
    "d9428888-122b-11e1-b85c-61cd3cbb3210": 0,
    "6ba7b810-9dad-41d1-80b4-00c04fd430c8": 2,
    "ffffffff-ffff-ffff-ffff-ffffffffffff": 0,
}


@pytest.mark.parametrize(("key", "number"), PINNED.items())
def test_shard_number_of_an_id_is_pinned(key: str, number: int) -> None:
    assert shard_number(UUID(key), 3) == number


def test_shard_number_depends_on_the_byte_order() -> None:
    """Checked with seven shards: 256 is 1 modulo 3, so with three shards every byte order gives the same number."""
    assert shard_number(UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"), 7) == 5


def test_random_ids_are_spread_evenly_over_the_shards() -> None:
    rng = random.Random(3)  # noqa: S311 - the same ids in every run
    counts = Counter(shard_number(UUID(int=rng.getrandbits(128), version=4), 3) for _ in range(30_000))
    assert set(counts) == {0, 1, 2}
    assert all(9_700 < count < 10_300 for count in counts.values())


def test_single_shard_holds_every_id() -> None:
    assert {shard_number(UUID(key), 1) for key in PINNED} == {0}


def test_shards_keep_their_order_and_map_keys_to_shards() -> None:
    shards = Shards(["a", "b", "c"])
    assert list(shards) == ["a", "b", "c"]
    assert len(shards) == 3
    assert [shards.of(UUID(int=number)) for number in range(4)] == ["a", "b", "c", "a"]


def test_empty_list_of_shards_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one shard"):
        Shards([])
