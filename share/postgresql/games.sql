-- A shard on PostgreSQL; share/games.sql is the same on SQLite, and says what the tables are for.
--
-- Every table has a primary key and there is no sequence, so that logical replication can move a shard to another
-- server (docs/operating.md).

-- The version of this schema, as SQLite's `PRAGMA user_version`: one row.
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (4);

CREATE TABLE games (
    user_id  UUID NOT NULL,
    game_id  INTEGER NOT NULL CHECK (game_id >= 0),
    finished TIMESTAMPTZ NOT NULL CHECK (finished = date_trunc('second', finished)),
    guesses  INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),
    won      BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, game_id)
);

-- Vacuumed often: an index-only scan of a leaderboard needs pages that are marked as visible to all.
CREATE TABLE standings (
    user_id      UUID NOT NULL PRIMARY KEY,
    won          INTEGER NOT NULL CHECK (won = won_in_1 + won_in_2 + won_in_3 + won_in_4 + won_in_5 + won_in_6),
    won_in_1     INTEGER NOT NULL CHECK (won_in_1 >= 0),
    won_in_2     INTEGER NOT NULL CHECK (won_in_2 >= 0),
    won_in_3     INTEGER NOT NULL CHECK (won_in_3 >= 0),
    won_in_4     INTEGER NOT NULL CHECK (won_in_4 >= 0),
    won_in_5     INTEGER NOT NULL CHECK (won_in_5 >= 0),
    won_in_6     INTEGER NOT NULL CHECK (won_in_6 >= 0),
    lost         INTEGER NOT NULL CHECK (lost >= 0),
    max_streak   INTEGER NOT NULL CHECK (max_streak >= last_run),
    last_run     INTEGER NOT NULL CHECK (last_run >= 0),
    last_win_day DATE,
    last_day     DATE NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
CREATE INDEX standings_by_wins ON standings (won DESC, user_id);
CREATE INDEX standings_by_streak ON standings (max_streak DESC, user_id);

-- A few hundred rows that are updated all the time: half of each page is left for their next versions, and the dead ones
-- are removed soon.
CREATE TABLE score_counts (
    board   TEXT COLLATE "C" NOT NULL CHECK (board IN ('wins', 'streaks')),
    score   INTEGER NOT NULL CHECK (score >= 0),
    players INTEGER NOT NULL CHECK (players >= 0),
    PRIMARY KEY (board, score)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE game_counts (
    game_id INTEGER NOT NULL CHECK (game_id >= 0),
    won     BOOLEAN NOT NULL,
    guesses INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),
    players INTEGER NOT NULL CHECK (players >= 1),
    PRIMARY KEY (game_id, won, guesses)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE VIEW wins (user_id, wins) AS
SELECT user_id, COUNT(*) FILTER (WHERE won)
FROM games
GROUP BY user_id;

CREATE VIEW streaks (user_id, streak, beginning, ending) AS
WITH win_days AS (
    SELECT DISTINCT user_id, (finished AT TIME ZONE 'UTC')::date AS day
    FROM games
    WHERE won
), numbered AS (
    SELECT user_id, day, day - (ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY day))::integer AS run
    FROM win_days
)
SELECT user_id, COUNT(*), MIN(day), MAX(day)
FROM numbered
GROUP BY user_id, run;
