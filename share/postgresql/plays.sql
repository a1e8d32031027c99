-- The plays database on PostgreSQL; share/plays.sql is the same on SQLite, and says what the tables are for.

-- The version of this schema, as SQLite's `PRAGMA user_version`: one row.
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (1);

CREATE TABLE plays (
    user_id UUID NOT NULL,
    game_id INTEGER NOT NULL CHECK (game_id >= 0),
    hard    BOOLEAN NOT NULL,
    begun   TIMESTAMPTZ NOT NULL CHECK (begun = date_trunc('second', begun)),
    PRIMARY KEY (user_id, game_id)
);

CREATE TABLE guesses (
    user_id UUID NOT NULL,
    game_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt BETWEEN 1 AND 6),
    guess   TEXT COLLATE "C" NOT NULL CHECK (guess ~ '^[a-z]{5}$'),
    PRIMARY KEY (user_id, game_id, attempt),
    FOREIGN KEY (user_id, game_id) REFERENCES plays (user_id, game_id)
);

CREATE TABLE outbox (
    user_id  UUID NOT NULL,
    game_id  INTEGER NOT NULL,
    won      BOOLEAN NOT NULL,
    guesses  INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),
    finished TIMESTAMPTZ NOT NULL CHECK (finished = date_trunc('second', finished)),
    refused  TEXT,
    PRIMARY KEY (user_id, game_id),
    FOREIGN KEY (user_id, game_id) REFERENCES plays (user_id, game_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);  -- every row is soon deleted
