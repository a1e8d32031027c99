-- The answers database on PostgreSQL; share/answers.sql is the same on SQLite, and says what the tables are for.

-- The version of this schema, as SQLite's `PRAGMA user_version`: one row.
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (1);

CREATE TABLE candidates (
    word TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (word ~ '^[a-z]{5}$')
);

CREATE TABLE answers (
    game_id INTEGER NOT NULL PRIMARY KEY CHECK (game_id >= 0),
    answer  TEXT COLLATE "C" NOT NULL CHECK (answer ~ '^[a-z]{5}$'),
    source  TEXT COLLATE "C" NOT NULL CHECK (source IN ('drawn', 'operator', 'unknown'))
);
