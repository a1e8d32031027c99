"""The step that brings answers.db from version 0 to 1: the coming answers, which could be computed, are dropped.

Version 0 drew answers in rounds in which each candidate came once, years ahead: what a round had not used yet told what
was to come. Version 1 draws each day when it is needed, and says who has set an answer.
"""

import sqlite3
from collections import Counter
from datetime import UTC, datetime

from games.puzzles import day_of, game_id_of
from tools.staging import execute_script

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
    """Keeps past answers, today's, and of the coming ones those that an administrator must have set."""
    today = game_id_of(datetime.now(UTC).date())
    execute_script(database, ADD_SOURCE)
    answers = dict(database.execute("SELECT game_id, answer FROM answers").fetchall())
    candidates = {word for (word,) in database.execute("SELECT word FROM candidates")}
    set_by_operator = find_set_answers(answers, candidates)
    coming = sorted(game_id for game_id in answers if game_id > today)
    kept = [game_id for game_id in coming if game_id in set_by_operator]
    database.executemany("UPDATE answers SET source = 'operator' WHERE game_id = ?", [(game_id,) for game_id in kept])
    database.execute("DELETE FROM answers WHERE game_id > ? AND source <> 'operator'", (today,))
    return describe(kept, dropped=[game_id for game_id in coming if game_id not in set_by_operator])


def find_set_answers(answers: dict[int, str], candidates: set[str]) -> set[int]:
    """The games whose answer was not only drawn: the word is no candidate, or comes twice in its round.

    Of a word that comes twice one place was drawn and one was set, and nothing tells which: both count as set.
    """

    def round_of(game_id: int) -> int:
        return game_id // max(1, len(candidates))

    uses = Counter((round_of(game_id), word) for game_id, word in answers.items())
    return {game_id for game_id, word in answers.items() if word not in candidates or uses[round_of(game_id), word] > 1}


def describe(kept: list[int], *, dropped: list[int]) -> list[str]:
    """Sentences for the operator; the words themselves stay secret."""
    sentences = []
    if dropped:
        sentences.append(
            f"Dropped the answers of {len(dropped):,} coming days, {day_of(dropped[0])} to {day_of(dropped[-1])}, which"
            " could be computed from the past ones: each is drawn again on its day."
        )
    if kept:
        days = ", ".join(f"{day_of(game_id)} (game {game_id})" for game_id in kept)
        sentences.append(f"Kept the answers that an administrator has set: {days}.")
    return sentences
