-- var/users.db: who plays. Owned by the users service; stats reads it.

-- The version of this schema: raise it when a table changes, and add a step to tools/upgrade_steps.py.
PRAGMA user_version = 1;

-- An id is the 16 bytes of a UUID. The declared type UUID tells Python's sqlite3 to hand it over as a uuid.UUID;
-- to SQLite it means numeric affinity, under which a text of digits would become a number, so it must be a BLOB.
CREATE TABLE users (
    user_id  UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    username TEXT NOT NULL UNIQUE  -- case-sensitive: Ada and ada are two players
) WITHOUT ROWID;

-- Argon2id hashes. A player who came from an old database has no row until an administrator gives them a password.
CREATE TABLE passwords (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (user_id),
    hash    TEXT NOT NULL
) WITHOUT ROWID;

-- Attempts to log in, of names that may be nobody's: those that failed, and those whose password is being looked at.
-- What is older than a minute is deleted with the next attempt.
CREATE TABLE login_attempts (
    attempt      INTEGER NOT NULL PRIMARY KEY,
    username     TEXT NOT NULL,
    attempted_at INTEGER NOT NULL  -- milliseconds since 1970, UTC
);
CREATE INDEX login_attempts_by_name ON login_attempts (username, attempted_at);
CREATE INDEX login_attempts_by_time ON login_attempts (attempted_at);

-- The old databases that bin/shard has brought in, so that none is brought in twice.
CREATE TABLE imports (
    checksum    TEXT NOT NULL PRIMARY KEY,  -- of the source's rows, in hexadecimal
    users       INTEGER NOT NULL,
    games       INTEGER NOT NULL,
    imported_at TIMESTAMP NOT NULL          -- UTC
);
