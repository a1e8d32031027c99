-- The words database on PostgreSQL; share/words.sql is the same on SQLite, and says what the tables are for.

-- The version of this schema, as SQLite's `PRAGMA user_version`: one row.
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO schema_version VALUES (1);

-- Collation "C": words are listed in the order of their letters, and found by a prefix.
CREATE TABLE words (
    word TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (word ~ '^[a-z]{5}$')
);
