BEGIN TRANSACTION;
PRAGMA user_version = 0;
CREATE TABLE guesses (
    user_id UUID NOT NULL,
    game_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt BETWEEN 1 AND 6),
    guess   TEXT NOT NULL CHECK (guess GLOB '[a-z][a-z][a-z][a-z][a-z]'),
    PRIMARY KEY (user_id, game_id, attempt),
    FOREIGN KEY (user_id, game_id) REFERENCES plays (user_id, game_id)
) WITHOUT ROWID;
INSERT INTO "guesses" VALUES(X'0EC1B66690B742219DB4FC832423E494',1986,1,'aback');
INSERT INTO "guesses" VALUES(X'0EC1B66690B742219DB4FC832423E494',1986,2,'alive');
INSERT INTO "guesses" VALUES(X'28AD38DB6801479F940938B651BD5797',1986,1,'aback');
INSERT INTO "guesses" VALUES(X'28AD38DB6801479F940938B651BD5797',1986,2,'abbey');
INSERT INTO "guesses" VALUES(X'28AD38DB6801479F940938B651BD5797',1986,3,'abhor');
CREATE TABLE outbox (
    user_id  UUID NOT NULL,
    game_id  INTEGER NOT NULL,
    won      BOOLEAN NOT NULL CHECK (won IN (0, 1)),
    guesses  INTEGER NOT NULL CHECK (guesses BETWEEN 1 AND 6),
    finished TIMESTAMP NOT NULL CHECK (finished IS datetime(finished, '+0 days')),  -- UTC
    refused  TEXT,  -- why stats will never take it; NULL while it is to be delivered
    PRIMARY KEY (user_id, game_id),
    FOREIGN KEY (user_id, game_id) REFERENCES plays (user_id, game_id)
) WITHOUT ROWID;
CREATE TABLE plays (
    user_id UUID NOT NULL CHECK (typeof(user_id) = 'blob' AND length(user_id) = 16),
    game_id INTEGER NOT NULL CHECK (game_id >= 0),  -- days since 2021-06-19
    hard    BOOLEAN NOT NULL CHECK (hard IN (0, 1)),
    begun   TIMESTAMP NOT NULL CHECK (begun IS datetime(begun, '+0 days')),  -- UTC
    PRIMARY KEY (user_id, game_id)
) WITHOUT ROWID;
INSERT INTO "plays" VALUES(X'0EC1B66690B742219DB4FC832423E494',1986,0,'2026-11-26 10:01:57');
INSERT INTO "plays" VALUES(X'28AD38DB6801479F940938B651BD5797',1986,0,'2026-11-26 10:01:57');
COMMIT;
