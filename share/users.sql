-- var/users.db: who plays. Owned by the users service; stats reads it.

-- An id is the 16 bytes of a UUID. The declared type UUID tells Python's sqlite3 to hand it over as a uuid.UUID;
-- to SQLite it means numeric affinity, under which a text of digits would become a number, so it must be a BLOB.
CREATE TABLE users (
    user_id  UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    username TEXT NOT NULL UNIQUE  -- case-sensitive: Ada and ada are two players
) WITHOUT ROWID;

-- The old databases that bin/shard has brought in, so that none is brought in twice.
CREATE TABLE imports (
    checksum    TEXT NOT NULL PRIMARY KEY,  -- of the source's rows, in hexadecimal
    users       INTEGER NOT NULL,
    games       INTEGER NOT NULL,
    imported_at TIMESTAMP NOT NULL          -- UTC
);
