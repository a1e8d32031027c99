-- var/words.db: the words that may be guessed. Owned by the words service; bin/init fills it from words.txt.

-- The version of this schema: raise it when a table changes, and add a step to tools/data/upgrade_steps.py.
PRAGMA user_version = 1;

CREATE TABLE words (
    word TEXT NOT NULL PRIMARY KEY CHECK (word GLOB '[a-z][a-z][a-z][a-z][a-z]')
) WITHOUT ROWID;
