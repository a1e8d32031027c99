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
def test_an_id_is_in_this_shard_of_three_and_in_no_other_for_ever(key: str, number: int) -> None:
    assert shard_number(UUID(key), 3) == number


def test_the_order_of_the_bytes_matters() -> None:
    """Not for three shards: 256 leaves 1 when it is divided by 3, so there any order of the bytes gives the same."""
    assert shard_number(UUID("5d0b2f6e-9b0d-4f6c-8f0e-3a1f6f4f2a11"), 7) == 5


def test_random_ids_are_spread_evenly() -> None:
    rng = random.Random(3)  # noqa: S311 - the same ids in every run
    counts = Counter(shard_number(UUID(int=rng.getrandbits(128), version=4), 3) for _ in range(30_000))
    assert set(counts) == {0, 1, 2}
    assert all(9_700 < count < 10_300 for count in counts.values())


def test_a_single_shard_has_everything() -> None:
    assert {shard_number(UUID(key), 1) for key in PINNED} == {0}


def test_shards_keep_their_order_and_give_each_key_its_own() -> None:
    shards = Shards(["a", "b", "c"])
    assert list(shards) == ["a", "b", "c"]
    assert len(shards) == 3
    assert [shards.of(UUID(int=number)) for number in range(4)] == ["a", "b", "c", "a"]


def test_no_shards_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one shard"):
        Shards([])
