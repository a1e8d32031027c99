-- var/games0.db, games1.db, games2.db: one shard of the finished games. Owned by the stats service.
-- A user's rows are all in shard user_id % 3 (servicekit/sharding.py).

-- Half of SQLite's own size: each page that a result changes goes to the disk twice, as a whole. Only a database without
-- a table takes it.
PRAGMA page_size = 2048;

-- The version of this schema: raise it when a table changes, and add a step to tools/upgrade_steps.py.
PRAGMA user_version = 2;

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
    last_day     DATE NOT NULL,                                    -- UTC day of the last finished game
    -- The player's place on each leaderboard, one key whose bytes compare as the board is ordered, the best first: two
    -- numbers of eight hexadecimal digits, where more is better with all bits turned, then the user_id.
    wins_place BLOB AS (CAST(printf('%08x%08x', ~won & 0xffffffff, played) || user_id AS BLOB)),
    streaks_place BLOB AS (CAST(printf('%08x%08x', ~max_streak & 0xffffffff, ~won & 0xffffffff) || user_id AS BLOB))
) WITHOUT ROWID;

-- Each leaderboard in its order: its top is the first entries. SQLite counts what lies between two such keys twice as
-- fast as between two keys of several columns.
CREATE TABLE IF NOT EXISTS places (
    board TEXT NOT NULL CHECK (board IN ('wins', 'streaks')),
    place BLOB NOT NULL CHECK (length(place) = 32),
    PRIMARY KEY (board, place)
) WITHOUT ROWID;

-- How many players a rank need not count one by one. Each board is cut into buckets of about a thousand places that
-- follow each other: from `start` to before the next start. A rank is the players of the buckets before its own, and
-- those before it in there. The first bucket of a board begins with the empty key and is always there; one that has
-- grown to twice its size is cut in two, and one that has lost three quarters joins the one before it.
CREATE TABLE IF NOT EXISTS buckets (
    board   TEXT NOT NULL,
    start   BLOB NOT NULL,
    players INTEGER NOT NULL CHECK (players >= 0),
    PRIMARY KEY (board, start)
) WITHOUT ROWID;

INSERT OR IGNORE INTO buckets (board, start, players) VALUES ('wins', x'', 0), ('streaks', x'', 0);

-- The places follow the standings and the buckets the places, in the same transaction whoever writes. A result costs
-- mostly what these change, so nothing is written that stays as it was. bin/verify counts both tables anew;
-- tools/rebuilding.py fills them in bulk.
CREATE TRIGGER IF NOT EXISTS standing_added AFTER INSERT ON standings BEGIN
    INSERT INTO places (board, place) VALUES ('wins', NEW.wins_place), ('streaks', NEW.streaks_place);
END;

CREATE TRIGGER IF NOT EXISTS standing_removed AFTER DELETE ON standings BEGIN
    DELETE FROM places WHERE board = 'wins' AND place = OLD.wins_place;
    DELETE FROM places WHERE board = 'streaks' AND place = OLD.streaks_place;
END;

CREATE TRIGGER IF NOT EXISTS wins_changed AFTER UPDATE ON standings WHEN NEW.wins_place <> OLD.wins_place BEGIN
    UPDATE places SET place = NEW.wins_place WHERE board = 'wins' AND place = OLD.wins_place;
END;

CREATE TRIGGER IF NOT EXISTS streak_changed AFTER UPDATE ON standings WHEN NEW.streaks_place <> OLD.streaks_place BEGIN
    UPDATE places SET place = NEW.streaks_place WHERE board = 'streaks' AND place = OLD.streaks_place;
END;

CREATE TRIGGER IF NOT EXISTS place_added AFTER INSERT ON places BEGIN
    UPDATE buckets SET players = players + 1 WHERE board = NEW.board
    AND start = (SELECT MAX(start) FROM buckets WHERE board = NEW.board AND start <= NEW.place);
END;

CREATE TRIGGER IF NOT EXISTS place_removed AFTER DELETE ON places BEGIN
    UPDATE buckets SET players = players - 1 WHERE board = OLD.board
    AND start = (SELECT MAX(start) FROM buckets WHERE board = OLD.board AND start <= OLD.place);
END;

-- First the bucket that has one more, which may be cut, then the one that has one less, which may join another one: the
-- numbers that either reads are true by then.
CREATE TRIGGER IF NOT EXISTS place_changed AFTER UPDATE ON places
WHEN (SELECT MAX(start) FROM buckets WHERE board = NEW.board AND start <= NEW.place)
  <> (SELECT MAX(start) FROM buckets WHERE board = OLD.board AND start <= OLD.place) BEGIN
    UPDATE buckets SET players = players + 1 WHERE board = NEW.board
    AND start = (SELECT MAX(start) FROM buckets WHERE board = NEW.board AND start <= NEW.place);
    UPDATE buckets SET players = players - 1 WHERE board = OLD.board
    AND start = (SELECT MAX(start) FROM buckets WHERE board = OLD.board AND start <= OLD.place);
END;

CREATE TRIGGER IF NOT EXISTS bucket_grown AFTER UPDATE ON buckets WHEN NEW.players > 2048 BEGIN
    INSERT INTO buckets (board, start, players)
    SELECT board, place, NEW.players - 1024 FROM places
    WHERE board = NEW.board AND place >= NEW.start ORDER BY place LIMIT 1 OFFSET 1024;
    UPDATE buckets SET players = 1024 WHERE board = NEW.board AND start = NEW.start;
END;

-- Only by one that left: one that came to a small bucket may still be counted where it was.
CREATE TRIGGER IF NOT EXISTS bucket_shrunk AFTER UPDATE ON buckets
WHEN NEW.players < 256 AND NEW.players < OLD.players AND NEW.start > x'' BEGIN
    DELETE FROM buckets WHERE board = NEW.board AND start = NEW.start;
    UPDATE buckets SET players = players + NEW.players WHERE board = NEW.board
    AND start = (SELECT MAX(start) FROM buckets WHERE board = NEW.board AND start < NEW.start);
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
