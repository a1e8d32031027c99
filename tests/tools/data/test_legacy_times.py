import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.old_databases import CREATE_LOOSE_TABLES, make_file
from tools.data.legacy import gather
from tools.data.legacy_times import IN_CALENDAR

LATEST = "2022-06-01 12:01:00"
SQLITES_OWN = """
2022-01-02
2022-01-02 03:04
2022-01-02 03:04:05
2022-01-02 03:04:05.678
2022-01-02T03:04
2022-01-02T03:04:05
2022-01-02T03:04:05.678
2022-01-02 03:04Z
2022-01-02T03:04z
2022-01-02T03:04:05Z
2022-01-02 03:04+02:00
2022-01-02T03:04-11:30
2022-01-02 03:04:05+02:00
2022-01-02 03:04:05 +02:00
2022-01-02T03:04:05.678-01:00
2022-01-02 23:30-01:00
2022-01-01T00:30+01:00
""".strip().splitlines()
NO_TIMES = """
2022-02-30
2021-02-29 10:00
2021-02-29 10:00:00
2022-04-31T10:00:00Z
2022-13-01
2022-00-10
2022-01-01 24:00
2022-01-01 24:00:00
2022-01-01 10:60
2022-01-01 10:60:00
2022-01-01 10:00:60
2022-01-01 10:00:00+99:00
2022-01-01 10:00+01
2022-01-01 10:00:00+01
2022-01-01 10:00.5
2022-01-01 10:00:00.
2022-01-01 10:00 UTC
2022-01-01 10:00:00 UTC
2022-01-01T10:00:00ZZ
2022-01-01Z
2022-01-01 10
2022-01-01 1:00
2022-1-1
01.02.2022
20220101
10:00:00
now
-2022-01-01
0000-01-01
0001-01-01 00:00:00+01:00
2459000.5
2022-06-01 12:02
2022-06-01 12:01:01
2022-06-01T12:01:00-00:01
2022-06-02
9999-12-31 23:59:59
""".strip().splitlines()


def read_finished(folder: Path, finished: object) -> tuple[str | None, bool]:
    """As what it is gathered, and whether that is a time in the past."""
    source = make_file(folder / "old.db", games=[(1, 1, finished, 1, 1)], schema=CREATE_LOOSE_TABLES)
    with gather([source], folder / "scratch.db") as legacy:
        sql = f"SELECT finished_at, coalesce(finished_at, '') {IN_CALENDAR} FROM main.games"  # noqa: S608 - text of ours
        [(finished_at, sound)] = legacy.execute(sql, {"latest": LATEST}).fetchall()
        return finished_at, bool(sound)


@pytest.mark.parametrize(
    ("finished", "stored"),
    [
        ("2022-01-02", "2022-01-02 00:00:00"),
        ("2020-02-29", "2020-02-29 00:00:00"),
        ("2022-01-02 03:04", "2022-01-02 03:04:00"),
        ("2022-01-02T03:04", "2022-01-02 03:04:00"),
        ("2022-01-02T03:04Z", "2022-01-02 03:04:00"),
        ("2022-01-02 01:04+02:00", "2022-01-01 23:04:00"),
        ("2022-01-02 03:04:05", "2022-01-02 03:04:05"),
        ("2022-01-02T03:04:05", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05.678901", "2022-01-02 03:04:05"),
        ("2022-01-02 23:59:59.9999999", "2022-01-02 23:59:59"),
        ("2022-01-02T03:04:05Z", "2022-01-02 03:04:05"),
        ("2022-01-02T03:04:05.6Z", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05+00:00", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05 +00:00", "2022-01-02 03:04:05"),
        ("2022-01-02 03:04:05.678901+05:30", "2022-01-01 21:34:05"),
        ("2021-12-31 23:00:00-01:00", "2022-01-01 00:00:00"),
        ("0001-01-01", "0001-01-01 00:00:00"),
        (LATEST, LATEST),
    ],
)
def test_time_is_stored_in_utc_to_the_second(tmp_path: Path, finished: str, stored: str) -> None:
    assert read_finished(tmp_path, finished) == (stored, True)


@pytest.mark.parametrize("finished", SQLITES_OWN)
def test_each_form_means_what_sqlite_takes_it_for(tmp_path: Path, finished: str) -> None:
    with closing(sqlite3.connect(":memory:")) as sqlite:
        (meant,) = sqlite.execute("SELECT datetime(?)", (finished,)).fetchone()
    assert meant is not None
    assert read_finished(tmp_path, finished) == (meant, True)


@pytest.mark.parametrize(
    "finished",
    [*NO_TIMES, "", " 2022-01-01", "2022-01-01 ", None, 0, 1641031200, 2459580.5, b"2022-01-01", b"2022-01-01 10:00"],
)
def test_what_is_no_time_in_the_past_is_told_apart(tmp_path: Path, finished: object) -> None:
    assert not read_finished(tmp_path, finished)[1]
