"""How many failed log-ins are allowed: the rules, without a database.

Failures are counted in three ways, so that guessing a password is hopeless and no player can lock out another:

- by name and address, within minutes: a player who mistypes waits a little, and only at that address;
- by address, within minutes: one client cannot try many names;
- by name, within a day: many clients together cannot try one name, and one alone cannot use up what all have.

An address is known for a name that has logged in or registered there within REMEMBERED. At a known address only the
first way counts, so other clients and other names cannot lock a player out there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

REMEMBERED = timedelta(days=90)
"""For how long an address is known for a name after the last log-in."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many failures within any period of this length."""

    failures: int
    period: timedelta

    def wait(self, failed_at: Sequence[datetime], now: datetime) -> timedelta:
        """How long until another attempt is allowed; zero or less if it is now.

        `failed_at` is the latest failures, the latest first. A failure in the future, which a clock that was put back
        leaves, does not count.
        """
        recent = [moment for moment in failed_at if now - self.period < moment <= now]
        if len(recent) < self.failures:
            return timedelta(0)
        return recent[self.failures - 1] + self.period - now

    def per_day(self) -> int:
        """How many failures are possible within 24 hours."""
        return self.failures * max(1, timedelta(days=1) // self.period)


BY_NAME_AND_ADDRESS = Limit(5, timedelta(minutes=5))
BY_NAME_AND_UNKNOWN_ADDRESS = Limit(20, timedelta(days=1))
BY_ADDRESS = Limit(60, timedelta(minutes=10))
BY_NAME = Limit(100, timedelta(days=1))
LIMITS = (BY_NAME_AND_ADDRESS, BY_NAME_AND_UNKNOWN_ADDRESS, BY_ADDRESS, BY_NAME)
LONGEST_PERIOD = max(limit.period for limit in LIMITS)
"""Older failures count for nothing."""


@dataclass(frozen=True, slots=True)
class Failures:
    """When the latest log-ins failed, the latest first, as each limit counts them."""

    by_name_and_address: Sequence[datetime]
    by_address: Sequence[datetime]
    by_name: Sequence[datetime]
    """From addresses that were not known for the name."""


def find_wait(failures: Failures, *, is_known: bool, now: datetime) -> timedelta:
    """How long a name has to wait at an address; zero or less if it may log in now.

    `is_known`: whether the name has logged in or registered at the address within REMEMBERED.
    """
    if is_known:
        return BY_NAME_AND_ADDRESS.wait(failures.by_name_and_address, now)
    return max(
        BY_NAME_AND_ADDRESS.wait(failures.by_name_and_address, now),
        BY_NAME_AND_UNKNOWN_ADDRESS.wait(failures.by_name_and_address, now),
        BY_ADDRESS.wait(failures.by_address, now),
        BY_NAME.wait(failures.by_name, now),
    )


def count_guesses_a_day(addresses: int, *, known: bool = False) -> int:
    """How many passwords of one name an attacker with so many addresses can try within 24 hours.

    `known`: the attacker shares addresses with the player, who has logged in from them.
    """
    if known:
        return addresses * BY_NAME_AND_ADDRESS.per_day()
    return min(addresses * BY_NAME_AND_UNKNOWN_ADDRESS.per_day(), BY_NAME.per_day())
