"""How long a session lives: 30 days from its last extension, a year at most."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from users.sessions.lifetime import EXTENDED_AT_MOST_EVERY, LIFETIME, LONGEST, find_extension

START = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_session_is_extended_a_day_after_it_began_and_not_before() -> None:
    just_before = START + DAY - timedelta(seconds=1)
    assert find_extension(started_at=START, expires_at=START + LIFETIME, now=just_before) is None
    assert find_extension(started_at=START, expires_at=START + LIFETIME, now=START + DAY) == START + DAY + LIFETIME


def test_session_is_never_extended_beyond_a_year() -> None:
    now = START + LONGEST - 10 * DAY
    assert find_extension(started_at=START, expires_at=now + DAY, now=now) == START + LONGEST
    assert find_extension(started_at=START, expires_at=START + LONGEST, now=now) is None


@given(st.lists(st.integers(1, 3 * 86_400), max_size=400))
def test_used_session_lives_a_year_and_is_extended_once_a_day(pauses: list[int]) -> None:
    """Used again and again after pauses of seconds to three days."""
    now, expires_at, extended_at = START, START + LIFETIME, START
    for pause in pauses:
        now += timedelta(seconds=pause)
        extension = find_extension(started_at=START, expires_at=expires_at, now=now)
        if now >= expires_at:
            assert now >= START + LONGEST - EXTENDED_AT_MOST_EVERY
            break
        if extension is not None:
            assert now - extended_at >= EXTENDED_AT_MOST_EVERY
            assert expires_at < extension <= START + LONGEST
            expires_at, extended_at = extension, now
