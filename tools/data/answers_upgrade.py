"""The step that brings answers.db from version 0 to 1: the coming answers, which could be computed, are dropped.

Version 0 drew answers in rounds in which each candidate came once, years ahead: what a round had not used yet told what
was to come. Version 1 draws each day when it is needed, and says who has set an answer.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from games.puzzles import day_of, game_id_of
from tools.data.atomic_files import execute_script

SHOWN = 20
"""How many days are named."""

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
    """Keeps past answers, today's, and of the coming ones those that an administrator must or may have set."""
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
    """The games of the round that a game belonged to."""
    length = max(1, len(candidates))
    return range(game_id - game_id % length, game_id - game_id % length + length)


def was_certainly_set(game_id: int, answers: Mapping[int, str], candidates: Collection[str]) -> bool:
    """Only candidates were drawn, and a round was always stored whole: in one that is not, nothing was drawn."""
    return answers[game_id] not in candidates or any(game not in answers for game in round_of(game_id, candidates))


def is_twice_in_its_round(game_id: int, answers: Mapping[int, str], candidates: Collection[str]) -> bool:
    """One of the two places was drawn and one was set, and nothing tells which."""
    games = round_of(game_id, candidates)
    return sum(answers.get(game) == answers[game_id] for game in games) > 1


def describe(kept: Sequence[int], *, dropped: Sequence[int]) -> list[str]:
    """Sentences for the operator; the words themselves stay secret."""
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
