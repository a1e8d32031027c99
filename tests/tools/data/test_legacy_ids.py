import random
import sqlite3
from contextlib import closing
from uuid import UUID, uuid1, uuid4

import pytest

from tools.data.legacy import CREATE_TABLES
from tools.data.legacy_ids import ByteOrder, IdMapping, StoredId, infer_byte_order, map_ids, parse_uuid

PLAYER = UUID("d75a5c4a-8863-4f04-b4c7-250e15076ba0")


def identify_all(users: list[StoredId], games: list[StoredId] | None = None, order: str | None = None) -> IdMapping:
    with closing(sqlite3.connect(":memory:")) as legacy:
        legacy.executescript(CREATE_TABLES)
        legacy.executemany("INSERT INTO users (user_id) VALUES (?)", ((value,) for value in users))
        legacy.executemany("INSERT INTO games (user_id) VALUES (?)", ((value,) for value in games or []))
        return map_ids(legacy, ByteOrder(order) if order else None)


@pytest.mark.parametrize(
    "spelling",
    [
        "d75a5c4a-8863-4f04-b4c7-250e15076ba0",
        "D75A5C4A-8863-4F04-B4C7-250E15076BA0",
        "d75a5c4a88634f04b4c7250e15076ba0",
        "{d75a5c4a-8863-4f04-b4c7-250e15076ba0}",
        "{D75A5C4A88634F04B4C7250E15076BA0}",
        "urn:uuid:d75a5c4a-8863-4f04-b4c7-250e15076ba0",
        "URN:UUID:D75A5C4A-8863-4F04-B4C7-250E15076BA0",
    ],
)
def test_every_usual_spelling_is_the_same_uuid(spelling: str) -> None:
    assert parse_uuid(spelling) == PLAYER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "ada",
        "d75a5c4a-8863-4f04-b4c7-250e15076ba",
        "d75a5c4a-8863-4f04-b4c7-250e15076ba00",
        "d75a5c4a-88634-f04-b4c7-250e15076ba0",
        "d75a5c4a8863-4f04b4c7250e15076ba0",
        "g75a5c4a88634f04b4c7250e15076ba0",
        "d75a_5c4a88634f04b4c7250e15076ba",
        "d75a5c4a_863_f04_4c7_250e15076ba0",
        " d75a5c4a88634f04b4c7250e15076ba0",
        "+75a5c4a88634f04b4c7250e15076ba0",
        "٣75a5c4a88634f04b4c7250e15076ba0",
        "{d75a5c4a88634f04b4c7250e15076ba0",
        "uuid:d75a5c4a88634f04b4c7250e15076ba0",
    ],
)
def test_any_other_text_is_no_uuid(text: str) -> None:
    assert parse_uuid(text) is None


def test_integers_get_random_uuids() -> None:
    identities = identify_all([1, 2, -3, 10**12], games=[1, 5])
    assert identities.kind == "integer"
    assert set(identities.ids) == {1, 2, -3, 10**12}
    assert {user.version for user in identities.ids.values()} == {4}
    assert {identities.integers[user]: user for user in identities.ids.values()} == identities.ids


def test_uuids_are_kept_in_any_spelling_in_users_and_games() -> None:
    other = uuid4()
    identities = identify_all([str(PLAYER), other.hex.upper()], games=[PLAYER.bytes, f"{{{other}}}", uuid4().bytes])
    assert identities.kind == "UUID"
    assert identities.ids == {
        str(PLAYER): PLAYER,
        PLAYER.bytes: PLAYER,
        other.hex.upper(): other,
        f"{{{other}}}": other,
    }
    assert identities.integers == {}


def test_what_more_users_have_is_what_a_user_id_has_to_be() -> None:
    assert set(identify_all([1, 2, "x", None, 2.5, uuid4().bytes]).ids) == {1, 2}
    assert set(identify_all([1, AMBIGUOUS.hex, PLAYER.hex, None, 2.5, "7", b"7"]).ids) == {AMBIGUOUS.hex, PLAYER.hex}
    assert identify_all([]).kind == "integer"


@pytest.mark.parametrize("make", [uuid4, uuid1])
def test_version_and_variant_of_all_ids_tell_the_byte_order(make: object) -> None:
    assert callable(make)
    ids = [make() for _ in range(50)]
    assert infer_byte_order([each.bytes for each in ids]) is ByteOrder.BIG
    assert infer_byte_order([each.bytes_le for each in ids]) is ByteOrder.MIXED


def test_ids_of_several_versions_tell_it_too() -> None:
    ids = [uuid4() for _ in range(50)] + [uuid1(clock_seq=number) for number in range(50)]
    assert infer_byte_order([each.bytes_le for each in ids]) is ByteOrder.MIXED


AMBIGUOUS = UUID("d75a5c4a-8863-4344-b4c7-250e15076ba0")
"""Of version 4, and in the other byte order too: the byte beside the version begins with a 4."""


def test_ids_that_could_be_in_either_order_tell_nothing() -> None:
    assert AMBIGUOUS.version == UUID(bytes_le=AMBIGUOUS.bytes).version == 4
    assert infer_byte_order([AMBIGUOUS.bytes]) is None
    with pytest.raises(SystemExit, match="do not show their byte order: add --byte-order big or --byte-order mixed"):
        identify_all([AMBIGUOUS.bytes])


def test_one_version_is_likelier_than_several() -> None:
    few = [UUID("d75a5c4a-8863-4814-b4c7-250e15076ba0"), AMBIGUOUS]
    assert [UUID(bytes_le=each.bytes).version for each in few] == [1, 4]
    assert infer_byte_order([each.bytes for each in few]) is ByteOrder.BIG
    assert infer_byte_order([each.bytes_le for each in few]) is ByteOrder.MIXED


def test_random_bytes_and_two_orders_side_by_side_tell_nothing() -> None:
    generator = random.Random(1)  # noqa: S311 - any bytes will do
    assert infer_byte_order([generator.randbytes(16) for _ in range(50)]) is None
    ids = [uuid4() for _ in range(50)]
    assert infer_byte_order([each.bytes for each in ids] + [each.bytes_le for each in ids]) is None


@pytest.mark.parametrize(("order", "expected"), [("big", AMBIGUOUS), ("mixed", UUID(bytes_le=AMBIGUOUS.bytes))])
def test_option_decides_where_the_bits_do_not(order: str, expected: UUID) -> None:
    assert identify_all([AMBIGUOUS.bytes], order=order).ids == {AMBIGUOUS.bytes: expected}


def test_option_that_the_bits_contradict_is_refused() -> None:
    ids: list[StoredId] = [uuid4().bytes_le for _ in range(50)]
    assert identify_all(ids, order="mixed").ids == identify_all(ids).ids
    with pytest.raises(SystemExit, match="contradict --byte-order big"):
        identify_all(ids, order="big")


def test_ids_of_games_help_to_tell_the_byte_order() -> None:
    games: list[StoredId] = [uuid4().bytes_le for _ in range(50)]
    user = UUID(bytes_le=AMBIGUOUS.bytes)
    assert identify_all([AMBIGUOUS.bytes], games).ids == {AMBIGUOUS.bytes: user}
