-- var/answers.db: the answer of each day. Owned by the games service.

-- The version of this schema: raise it when a table changes, and add a step to tools/upgrade_steps.py.
PRAGMA user_version = 1;

-- The words that answers are drawn from; bin/init fills it from answers.txt.
CREATE TABLE candidates (
    word TEXT NOT NULL PRIMARY KEY CHECK (word GLOB '[a-z][a-z][a-z][a-z][a-z]')
) WITHOUT ROWID;

-- Game after game in a random order that no file holds (games/schedule.py). bin/init draws the first round, in which
-- each candidate comes once; the service draws the next one when a game has no answer yet.
CREATE TABLE answers (
    game_id INTEGER NOT NULL PRIMARY KEY CHECK (game_id >= 0),  -- days since 2021-06-19
    answer  TEXT NOT NULL CHECK (answer GLOB '[a-z][a-z][a-z][a-z][a-z]')
);
