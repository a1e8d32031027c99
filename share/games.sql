-- var/games0.db, games1.db, games2.db: one shard of the finished games. Owned by the stats service.
-- A user's rows are all in shard user_id % 3 (servicekit/sharding.py).

-- Half of SQLite's own size: a result changes a dozen pages, and each goes to the disk twice as a whole. Only a database
-- without a table takes it.
PRAGMA page_size = 2048;

-- One more with every change of places, tallies or triggers: bin/init makes these anew in a shard of another version.
PRAGMA user_version = 1;

-- Clustered by player (WITHOUT ROWID): the games of one player lie side by side on disk.
CREATE TABLE IF NOT EXISTS games (
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
CREATE TABLE IF NOT EXISTS standings (
    user_id      UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    played       INTEGER NOT NULL CHECK (played = won_in_1 + won_in_2 + won_in_3 + won_in_4 + won_in_5 + won_in_6 + lost),
    won          INTEGER NOT NULL CHECK (won = played - lost),
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

-- Where each player stands on each leaderboard. The primary key is the board's total order, best first: what counts
-- for more when it is greater is stored negated, so that every part ascends. The top of a board is its first entries.
CREATE TABLE IF NOT EXISTS places (
    board   TEXT NOT NULL CHECK (board IN ('wins', 'streaks')),
    first   INTEGER NOT NULL,  -- wins: -won;   streaks: -max_streak
    second  INTEGER NOT NULL,  -- wins: played; streaks: -won
    user_id BLOB NOT NULL,     -- not UUID: comes to Python as it is, to be compared by the dozen and seldom shown
    PRIMARY KEY (board, first, second, user_id)
) WITHOUT ROWID;

-- How many players stand at a place, on four levels: with a `first` in the same sixteen, -16 to -1 for instance (1), with
-- the same `first` (2), with the same `second` too (3), and of these with the same first byte of user_id (4). A rank is
-- the sum of some dozen of these numbers on each level, as the page of a word is that of its volume, chapter and section
-- added up; without them it would count half the board.
CREATE TABLE IF NOT EXISTS tallies (
    board   TEXT NOT NULL,
    level   INTEGER NOT NULL CHECK (level BETWEEN 1 AND 4),
    first   INTEGER NOT NULL,  -- on level 1 the least of the sixteen: first & -16
    second  INTEGER NOT NULL,  -- 0 on levels 1 and 2
    head    BLOB NOT NULL,     -- empty on levels 1 to 3
    players INTEGER NOT NULL,  -- never 0: a row that comes to that goes
    PRIMARY KEY (board, level, first, second, head)
) WITHOUT ROWID;

-- The places follow the standings and the tallies the places, in the same transaction whoever writes. A result costs
-- mostly what these change, so nothing is written that stays as it was. bin/verify counts both tables anew;
-- tools/rebuilding.py fills them in bulk.
CREATE TRIGGER IF NOT EXISTS standing_added AFTER INSERT ON standings BEGIN
    INSERT INTO places (board, first, second, user_id)
    VALUES ('wins', -NEW.won, NEW.played, NEW.user_id), ('streaks', -NEW.max_streak, -NEW.won, NEW.user_id);
END;

CREATE TRIGGER IF NOT EXISTS standing_removed AFTER DELETE ON standings BEGIN
    DELETE FROM places WHERE (board, first, second, user_id) = ('wins', -OLD.won, OLD.played, OLD.user_id);
    DELETE FROM places WHERE (board, first, second, user_id) = ('streaks', -OLD.max_streak, -OLD.won, OLD.user_id);
END;

CREATE TRIGGER IF NOT EXISTS wins_changed AFTER UPDATE ON standings
WHEN (NEW.won, NEW.played) <> (OLD.won, OLD.played) BEGIN
    UPDATE places SET first = -NEW.won, second = NEW.played
    WHERE (board, first, second, user_id) = ('wins', -OLD.won, OLD.played, OLD.user_id);
END;

CREATE TRIGGER IF NOT EXISTS streak_changed AFTER UPDATE ON standings
WHEN (NEW.max_streak, NEW.won) <> (OLD.max_streak, OLD.won) BEGIN
    UPDATE places SET first = -NEW.max_streak, second = -NEW.won
    WHERE (board, first, second, user_id) = ('streaks', -OLD.max_streak, -OLD.won, OLD.user_id);
END;

CREATE TRIGGER IF NOT EXISTS place_added AFTER INSERT ON places BEGIN
    INSERT INTO tallies (board, level, first, second, head, players)
    VALUES (NEW.board, 1, NEW.first & -16, 0, x'', 1),
           (NEW.board, 2, NEW.first, 0, x'', 1),
           (NEW.board, 3, NEW.first, NEW.second, x'', 1),
           (NEW.board, 4, NEW.first, NEW.second, substr(NEW.user_id, 1, 1), 1)
    ON CONFLICT DO UPDATE SET players = players + excluded.players;
END;

CREATE TRIGGER IF NOT EXISTS place_removed AFTER DELETE ON places BEGIN
    INSERT INTO tallies (board, level, first, second, head, players)
    VALUES (OLD.board, 1, OLD.first & -16, 0, x'', -1),
           (OLD.board, 2, OLD.first, 0, x'', -1),
           (OLD.board, 3, OLD.first, OLD.second, x'', -1),
           (OLD.board, 4, OLD.first, OLD.second, substr(OLD.user_id, 1, 1), -1)
    ON CONFLICT DO UPDATE SET players = players + excluded.players;
END;

CREATE TRIGGER IF NOT EXISTS place_changed AFTER UPDATE ON places BEGIN
    INSERT INTO tallies (board, level, first, second, head, players)
    VALUES (OLD.board, 3, OLD.first, OLD.second, x'', -1),
           (OLD.board, 4, OLD.first, OLD.second, substr(OLD.user_id, 1, 1), -1),
           (NEW.board, 3, NEW.first, NEW.second, x'', 1),
           (NEW.board, 4, NEW.first, NEW.second, substr(NEW.user_id, 1, 1), 1)
    ON CONFLICT DO UPDATE SET players = players + excluded.players;
END;

CREATE TRIGGER IF NOT EXISTS place_changed_first AFTER UPDATE ON places
WHEN NEW.first <> OLD.first BEGIN
    INSERT INTO tallies (board, level, first, second, head, players)
    VALUES (OLD.board, 2, OLD.first, 0, x'', -1),
           (NEW.board, 2, NEW.first, 0, x'', 1)
    ON CONFLICT DO UPDATE SET players = players + excluded.players;
END;

CREATE TRIGGER IF NOT EXISTS place_changed_sixteen AFTER UPDATE ON places
WHEN (NEW.first & -16) <> (OLD.first & -16) BEGIN
    INSERT INTO tallies (board, level, first, second, head, players)
    VALUES (OLD.board, 1, OLD.first & -16, 0, x'', -1),
           (NEW.board, 1, NEW.first & -16, 0, x'', 1)
    ON CONFLICT DO UPDATE SET players = players + excluded.players;
END;

CREATE TRIGGER IF NOT EXISTS tally_emptied AFTER UPDATE ON tallies WHEN NEW.players = 0 BEGIN
    DELETE FROM tallies WHERE (board, level, first, second, head)
                            = (NEW.board, NEW.level, NEW.first, NEW.second, NEW.head);
END;

CREATE VIEW IF NOT EXISTS wins (user_id, wins) AS
SELECT user_id, COUNT(*) FILTER (WHERE won)
FROM games
GROUP BY user_id;

-- Every run of consecutive win days, runs of one day included. In a run the day grows by one from row to row, as the
-- row's number does, so their difference names the run.
CREATE VIEW IF NOT EXISTS streaks (user_id, streak, beginning, ending) AS
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
