-- var/words.db: the words that may be guessed. Owned by the words service; bin/init fills it from words.txt.
CREATE TABLE words (
    word TEXT NOT NULL PRIMARY KEY CHECK (word GLOB '[a-z][a-z][a-z][a-z][a-z]')
) WITHOUT ROWID;
