-- var/answers.db: the answer of each day. Owned by the games service.

-- The version of this schema: raise it when a table changes, and add a step to tools/data/upgrade_steps.py.
PRAGMA user_version = 1;

-- The words that answers are drawn from; bin/init fills it from answers.txt.
CREATE TABLE candidates (
    word TEXT NOT NULL PRIMARY KEY CHECK (word GLOB '[a-z][a-z][a-z][a-z][a-z]')
) WITHOUT ROWID;

-- Each day's answer is drawn when it is first needed (games/rules/schedule.py); bin/init draws those up to yesterday. An
-- administrator may set the answers of coming days.
CREATE TABLE answers (
    game_id INTEGER NOT NULL PRIMARY KEY CHECK (game_id >= 0),  -- days since 2021-06-19
    answer  TEXT NOT NULL CHECK (answer GLOB '[a-z][a-z][a-z][a-z][a-z]'),
    -- 'unknown': stored by a version that did not say whether it was drawn or set
    source  TEXT NOT NULL CHECK (source IN ('drawn', 'operator', 'unknown'))
);
