-- var/games0.db, games1.db, games2.db: one shard of the finished games. Owned by the stats service.
-- A user's rows are all in shard user_id % 3 (servicekit/db/sharding.py).

-- Half of SQLite's own size: each page that a result changes goes to the disk twice, as a whole. Only a database without
-- a table takes it.
PRAGMA page_size = 2048;

-- The version of this schema: raise it when a table changes, and add a step to tools/data/upgrade_steps.py.
PRAGMA user_version = 4;

-- Clustered by player (WITHOUT ROWID): the games of one player lie side by side on disk.
CREATE TABLE games (
    user_id  UUID NOT NULL CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    game_id  INTEGER NOT NULL CHECK (game_id >= 0),  -- the puzzle's number: days since 2021-06-19
    -- UTC, 'YYYY-MM-DD HH:MM:SS'. IS, since a CHECK that is NULL holds; adding nothing finds that there is no 30 February.
    finished TIMESTAMP NOT NULL CHECK (finished IS datetime(finished, '+0 days')),
    guesses  INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),  -- for a loss too
    won      BOOLEAN NOT NULL CHECK (won IN (0, 1)),
    PRIMARY KEY (user_id, game_id)
) WITHOUT ROWID;

-- One row a player, written in the same transaction as the game (stats/standings.py has the rules), so that neither
-- a player's statistics nor a leaderboard ever scan `games`. bin/verify rebuilds every row and compares.
CREATE TABLE standings (
    user_id      UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    won          INTEGER NOT NULL CHECK (won = won_in_1 + won_in_2 + won_in_3 + won_in_4 + won_in_5 + won_in_6),
    won_in_1     INTEGER NOT NULL CHECK (won_in_1 >= 0),
    won_in_2     INTEGER NOT NULL CHECK (won_in_2 >= 0),
    won_in_3     INTEGER NOT NULL CHECK (won_in_3 >= 0),
    won_in_4     INTEGER NOT NULL CHECK (won_in_4 >= 0),
    won_in_5     INTEGER NOT NULL CHECK (won_in_5 >= 0),
    won_in_6     INTEGER NOT NULL CHECK (won_in_6 >= 0),
    lost         INTEGER NOT NULL CHECK (lost >= 0),
    max_streak   INTEGER NOT NULL CHECK (max_streak >= last_run),  -- win days in a row, at best
    last_run     INTEGER NOT NULL CHECK (last_run >= 0),           -- length of the run that ends on last_win_day
    last_win_day DATE,                                             -- UTC day; NULL before the first win
    last_day     DATE NOT NULL                                     -- UTC day of the last finished game
) WITHOUT ROWID;

-- The leaderboards in their order: best score first, within a score by user_id.
CREATE INDEX standings_by_wins ON standings (won DESC, user_id);
CREATE INDEX standings_by_streak ON standings (max_streak DESC, user_id);

-- How many players have each score, so that a rank (one more than the players with a better score) is a sum over a few
-- hundred rows. Written in the transaction of the standing, by one function (stats/score_counts.py); bin/verify counts
-- again. Rows that reach 0 stay.
CREATE TABLE score_counts (
    board   TEXT NOT NULL CHECK (board IN ('wins', 'streaks')),
    score   INTEGER NOT NULL CHECK (score >= 0),
    players INTEGER NOT NULL CHECK (players >= 0),
    PRIMARY KEY (board, score)
) WITHOUT ROWID;

-- How many players of this shard have each result of a puzzle, so that how it went is a sum over a few rows of each
-- shard. A row a result and not one a puzzle: the same statement counts every result, and one GROUP BY over `games`
-- recounts them, as bin/verify does. Written in the transaction of the game, only where the game is new: that adds about
-- 15 us to the 250 us of CPU time that storing a result takes in one process, measured in turn with and without.
CREATE TABLE game_counts (
    game_id INTEGER NOT NULL CHECK (game_id >= 0),
    won     BOOLEAN NOT NULL CHECK (won IN (0, 1)),
    guesses INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),  -- for a loss too
    players INTEGER NOT NULL CHECK (players >= 1),
    PRIMARY KEY (game_id, won, guesses)
) WITHOUT ROWID;

CREATE VIEW wins (user_id, wins) AS
SELECT user_id, COUNT(*) FILTER (WHERE won)
FROM games
GROUP BY user_id;

-- Every run of consecutive win days, runs of one day included. In a run the day grows by one from row to row, as the
-- row's number does, so their difference names the run.
CREATE VIEW streaks (user_id, streak, beginning, ending) AS
WITH win_days AS (
    SELECT DISTINCT user_id, date(finished) AS day
    FROM games
    WHERE won
), numbered AS (
    SELECT user_id, day, julianday(day) - ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY day) AS run
    FROM win_days
)
SELECT user_id, COUNT(*), MIN(day), MAX(day)
FROM numbered
GROUP BY user_id, run;
