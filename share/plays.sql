-- var/plays.db: who plays which puzzle, guess by guess. Owned by the games service.

-- The version of this schema: raise it when a table changes, and add a step to tools/data/upgrade_steps.py.
PRAGMA user_version = 1;

CREATE TABLE plays (
    user_id UUID NOT NULL CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    game_id INTEGER NOT NULL CHECK (game_id >= 0),  -- days since 2021-06-19
    hard    BOOLEAN NOT NULL CHECK (hard IN (0, 1)),
    begun   TIMESTAMP NOT NULL CHECK (begun IS datetime(begun, '+0 days')),  -- UTC
    PRIMARY KEY (user_id, game_id)
) WITHOUT ROWID;

-- The primary key lets exactly one guess count as each attempt, however many requests arrive at the same instant.
CREATE TABLE guesses (
    user_id UUID NOT NULL,
    game_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt BETWEEN 1 AND 6),
    guess   TEXT NOT NULL CHECK (guess GLOB '[a-z][a-z][a-z][a-z][a-z]'),
    PRIMARY KEY (user_id, game_id, attempt),
    FOREIGN KEY (user_id, game_id) REFERENCES plays (user_id, game_id)
) WITHOUT ROWID;

-- Results on their way to stats: written in the transaction of the last guess, deleted when stats has them.
CREATE TABLE outbox (
    user_id  UUID NOT NULL,
    game_id  INTEGER NOT NULL,
    won      BOOLEAN NOT NULL CHECK (won IN (0, 1)),
    guesses  INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),
    finished TIMESTAMP NOT NULL CHECK (finished IS datetime(finished, '+0 days')),  -- UTC
    refused  TEXT,  -- why stats will never take it; NULL while it is to be delivered
    PRIMARY KEY (user_id, game_id),
    FOREIGN KEY (user_id, game_id) REFERENCES plays (user_id, game_id)
) WITHOUT ROWID;
