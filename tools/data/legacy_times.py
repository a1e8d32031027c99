"""When the games of an old database were finished: text in the forms that SQLite's own date functions read, as UTC.

A form is a date, or a date and a time of day with or without seconds and a fraction, `T` or a space between them, and
with or without an offset (`+02:00`, `Z`). What is left out is zero, a fraction is cut off, and a time without an offset
is UTC.
"""

IN_CALENDAR = "BETWEEN '0001-01-01 00:00:00' AND :latest"
"""SQL: Python's calendar starts with the year 1. Years before 0 have a sign, which sorts before the digits."""

# A time of day without seconds ends where its offset begins, or the text.
WITH_SECONDS = """CASE WHEN substr(finished, 17, 1) IN ('', ' ', 'Z', 'z', '+', '-')
    THEN substr(finished, 1, 16) || ':00' || substr(finished, 17) ELSE finished END"""
AFTER_SECONDS = """CASE WHEN substr(written, 20) GLOB '.[0-9]*'
    THEN ltrim(substr(written, 22), '0123456789') ELSE substr(written, 20) END"""

# SQLite takes 30 February for 2 March, and 24:00 for the next day: a time is right only if SQLite gives it back
# unchanged when made to calculate.
FINISHED_AT = """CASE
    WHEN typeof(finished) <> 'text' THEN NULL
    WHEN length(finished) = 10 THEN CASE finished || '' WHEN date(finished, '+0 days') THEN finished || ' 00:00:00' END
    WHEN moment IS NOT datetime(moment, '+0 days') THEN NULL
    WHEN offset IN ('', 'Z', 'z') THEN moment
    WHEN offset GLOB '[+-][0-9][0-9]:[0-9][0-9]' THEN datetime(moment || offset)
END"""

TIMED_GAMES = f"""
SELECT user_id, game_id, {FINISHED_AT} AS finished_at, guesses, won
FROM (
    SELECT user_id, game_id, finished, guesses, won,
        replace(substr(written, 1, 19), 'T', ' ') AS moment, ltrim({AFTER_SECONDS}, ' ') AS offset
    FROM (SELECT user_id, game_id, finished, guesses, won, {WITH_SECONDS} AS written FROM source.games)
)
"""  # noqa: S608 - text of ours
"""SQL: the games of the attached database `source`; `finished_at` is 'YYYY-MM-DD HH:MM:SS', or NULL where that is no
time."""
