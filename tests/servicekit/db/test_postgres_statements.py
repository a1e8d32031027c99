from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from servicekit.db.postgres.column_types import decode_day, decode_time, encode_day, encode_time
from servicekit.db.postgres.statements import bind, translate
from servicekit.db.postgres.writer import begin_with_locks, lock_number


def test_names_become_numbers_in_the_order_of_their_first_use() -> None:
    statement, names = translate("SELECT :b, :a, :b WHERE x = :c_1")
    assert statement == "SELECT $1, $2, $1 WHERE x = $3"
    assert names == ("b", "a", "c_1")


def test_casts_and_texts_are_no_parameters() -> None:
    statement = "SELECT 'a :b c', x::date, '::' WHERE y = :y"
    assert translate(statement) == (statement.replace(":y", "$1"), ("y",))


def test_values_are_bound_in_the_order_of_the_names() -> None:
    assert bind(("b", "a"), {"a": 1, "b": None, "unused": 3}) == [None, 1]


MOMENTS = [datetime.min, datetime(1969, 12, 31, 23, 59, 59, 999_999), datetime(2026, 11, 26, 12), datetime.max]  # noqa: DTZ001, DTZ901


@pytest.mark.parametrize("moment", [moment.replace(tzinfo=UTC) for moment in MOMENTS], ids=str)
def test_times_are_cut_off_to_the_second_and_come_back(moment: datetime) -> None:
    assert decode_time(encode_time(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize("day", [date.min, date(1999, 12, 31), date(2000, 1, 1), date.max], ids=str)
def test_days_come_back(day: date) -> None:
    assert decode_day(encode_day(day)) == day


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        encode_time(datetime(2026, 11, 26))  # noqa: DTZ001 - must be refused


def test_number_of_a_lock_is_pinned() -> None:
    """Instances of two versions must lock the same."""
    assert lock_number("answers") == -7210341621757213351
    assert lock_number(UUID(int=1)) == lock_number("00000000-0000-0000-0000-000000000001")


def test_locks_are_taken_in_one_order_by_all_transactions() -> None:
    assert begin_with_locks(("a", "b")) == begin_with_locks(("b", "a"))
    shared = "BEGIN; SELECT pg_advisory_xact_lock_shared(0, 0)"
    assert begin_with_locks(("a",)) == f"{shared}, pg_advisory_xact_lock({lock_number('a')})"
    assert begin_with_locks(()) == shared
