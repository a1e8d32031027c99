-- var/users.db: who plays. Owned by the users service; stats reads it.

-- The version of this schema: raise it when a table changes, and add a step to tools/data/upgrade_steps.py.
PRAGMA user_version = 4;

-- An id is the 16 bytes of a UUID. The declared type UUID tells Python's sqlite3 to hand it over as a uuid.UUID;
-- to SQLite it means numeric affinity, under which a text of digits would become a number, so it must be a BLOB.
CREATE TABLE users (
    user_id  UUID NOT NULL PRIMARY KEY CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    username TEXT NOT NULL UNIQUE  -- case-sensitive: Ada and ada are two players
) WITHOUT ROWID;

-- The names of accounts that have ended. Another player can take one after a year (users/accounts/names.py); it is
-- deleted with the next registration after that.
CREATE TABLE retired_names (
    username   TEXT NOT NULL PRIMARY KEY,
    retired_at TIMESTAMP NOT NULL  -- UTC
) WITHOUT ROWID;
CREATE INDEX retired_names_by_time ON retired_names (retired_at);

-- Argon2id hashes. A player who came from an old database has no row until an administrator gives them a password,
-- and one whose account has ended has none any more.
CREATE TABLE passwords (
    user_id UUID NOT NULL PRIMARY KEY REFERENCES users (user_id),
    hash    TEXT NOT NULL
) WITHOUT ROWID;

-- Attempts to log in, also of names that no player has: those that failed, and those whose password is being checked
-- (users/logins/limits.py). They are deleted after a day, with the next attempt of any player.
CREATE TABLE login_attempts (
    attempt      INTEGER NOT NULL PRIMARY KEY,
    name_digest  BLOB NOT NULL,     -- SHA-256 of the name
    address      TEXT NOT NULL,     -- IPv4, or the /64 network of an IPv6 address
    is_known     BOOLEAN NOT NULL CHECK (is_known IN (0, 1)),  -- whether the name had logged in from the address
    attempted_at INTEGER NOT NULL   -- milliseconds since 1970, UTC
);
CREATE INDEX login_attempts_by_name ON login_attempts (name_digest, attempted_at);
CREATE INDEX login_attempts_by_name_and_address ON login_attempts (name_digest, address, attempted_at);
CREATE INDEX login_attempts_by_address ON login_attempts (address, attempted_at);
CREATE INDEX login_attempts_by_time ON login_attempts (attempted_at);

-- From where each player has registered or logged in, and when last; deleted after 90 days, with any player's next
-- log-in.
CREATE TABLE known_addresses (
    user_id      UUID NOT NULL REFERENCES users (user_id),
    address      TEXT NOT NULL,
    logged_in_at TIMESTAMP NOT NULL,  -- UTC
    PRIMARY KEY (user_id, address)
) WITHOUT ROWID;
CREATE INDEX known_addresses_by_time ON known_addresses (logged_in_at);

-- Browsers that are signed in (users/sessions/browser_sessions.py). Expired ones are deleted with the next sign-in of a
-- browser, 100 at a time.
CREATE TABLE sessions (
    session      INTEGER NOT NULL PRIMARY KEY,  -- of a player's sessions the one that began last has the highest number
    token_digest BLOB NOT NULL UNIQUE,          -- SHA-256 of the cookie
    user_id      UUID NOT NULL REFERENCES users (user_id),
    started_at   TIMESTAMP NOT NULL,            -- UTC, as the next
    expires_at   TIMESTAMP NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, session);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The old databases that bin/shard has brought in, so that none is brought in twice.
CREATE TABLE imports (
    checksum    TEXT NOT NULL PRIMARY KEY,  -- of the source's rows, in hexadecimal
    users       INTEGER NOT NULL,
    games       INTEGER NOT NULL,
    imported_at TIMESTAMP NOT NULL          -- UTC
);

-- Which public key verifies the tokens, so that machines that share this database have the same one: one row, which
-- bin/init writes (tools/data/token_key.py).
CREATE TABLE token_key (
    number      INTEGER NOT NULL PRIMARY KEY CHECK (number = 1),
    fingerprint TEXT NOT NULL  -- SHA-256 of the key, in hexadecimal
);
