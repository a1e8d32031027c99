"""The upgrade of answers.db from version 0 to 1, which drops the future answers, since they could be computed.

Version 0 drew answers years in advance, in rounds in which each candidate came once: the candidates that a round had
not used yet were the coming answers. Version 1 draws each answer when it is first needed, and stores its source.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from games.rules.puzzles import day_of, game_id_of
from tools.data.atomic_files import execute_script

SHOWN = 20
"""The number of days that are listed."""

ADD_SOURCE = """
ALTER TABLE answers RENAME TO earlier_answers;
CREATE TABLE answers (
    game_id INTEGER NOT NULL PRIMARY KEY CHECK (game_id >= 0),
    answer  TEXT NOT NULL CHECK (answer GLOB '[a-z][a-z][a-z][a-z][a-z]'),
    source  TEXT NOT NULL CHECK (source IN ('drawn', 'operator', 'unknown'))
);
INSERT INTO answers (game_id, answer, source) SELECT game_id, answer, 'unknown' FROM earlier_answers;
DROP TABLE earlier_answers;
"""


def drop_coming_answers(database: sqlite3.Connection) -> list[str]:
    """Keeps the answers up to today, and of the coming ones those that an administrator has or may have set."""
    today = game_id_of(datetime.now(UTC).date())
    execute_script(database, ADD_SOURCE)
    answers = dict(database.execute("SELECT game_id, answer FROM answers").fetchall())
    candidates = {word for (word,) in database.execute("SELECT word FROM candidates")}
    coming = sorted(game_id for game_id in answers if game_id > today)
    was_set = {game_id: was_certainly_set(game_id, answers, candidates) for game_id in coming}
    kept = [game_id for game_id in coming if was_set[game_id] or is_twice_in_its_round(game_id, answers, candidates)]
    dropped = [(game_id,) for game_id in coming if game_id not in kept]
    database.executemany("DELETE FROM answers WHERE game_id = ?", dropped)
    certain = [(game_id,) for game_id in kept if was_set[game_id]]
    database.executemany("UPDATE answers SET source = 'operator' WHERE game_id = ?", certain)
    return describe(kept, dropped=[game_id for (game_id,) in dropped])


def round_of(game_id: int, candidates: Collection[str]) -> range:
    """The games of the round that the game belonged to."""
    length = max(1, len(candidates))
    return range(game_id - game_id % length, game_id - game_id % length + length)


def was_certainly_set(game_id: int, answers: Mapping[int, str], candidates: Collection[str]) -> bool:
    """Only candidates were drawn, and rounds were stored whole: in an incomplete round nothing was drawn."""
    return answers[game_id] not in candidates or any(game not in answers for game in round_of(game_id, candidates))


def is_twice_in_its_round(game_id: int, answers: Mapping[int, str], candidates: Collection[str]) -> bool:
    """Then one of the two was drawn and the other one was set, and the database does not say which."""
    games = round_of(game_id, candidates)
    return sum(answers.get(game) == answers[game_id] for game in games) > 1


def describe(kept: Sequence[int], *, dropped: Sequence[int]) -> list[str]:
    """Remarks for the operator, without the words, which stay secret."""
    sentences = []
    if dropped:
        sentences.append(
            f"Dropped the answers of {len(dropped):,} coming days, {day_of(dropped[0])} to {day_of(dropped[-1])}, which"
            " could be computed from the past ones: each is drawn again on its day. If you have set one of them, set it"
            " again."
        )
    if kept:
        days = ", ".join(f"{day_of(game_id)} (game {game_id})" for game_id in kept[:SHOWN])
        more = f" and {len(kept) - SHOWN:,} more" if len(kept) > SHOWN else ""
        sentences.append(f"Kept the answers that an administrator has or may have set: {days}{more}.")
    return sentences
