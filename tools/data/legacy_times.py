"""Converts the times of an old database, in the formats of SQLite's date functions, to UTC.

A time is a date, or a date and a time of day with optional seconds, fraction and offset (`+02:00`, `Z`), separated by
`T` or a space. Missing parts are zero, fractions are truncated, and a time without an offset is UTC.
"""

IN_CALENDAR = "BETWEEN '0001-01-01 00:00:00' AND :latest"
"""SQL condition: Python's calendar begins in year 1. Years before 0 have a sign, which sorts before the digits."""

# A time of day without seconds is followed by an offset or by nothing.
WITH_SECONDS = """CASE WHEN substr(finished, 17, 1) IN ('', ' ', 'Z', 'z', '+', '-')
    THEN substr(finished, 1, 16) || ':00' || substr(finished, 17) ELSE finished END"""
AFTER_SECONDS = """CASE WHEN substr(written, 20) GLOB '.[0-9]*'
    THEN ltrim(substr(written, 22), '0123456789') ELSE substr(written, 20) END"""

# SQLite accepts 30 February as 2 March, and 24:00 as the next day: a time is valid only if a calculation with it
# returns it unchanged.
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
"""SQL: the games of the attached database `source`; `finished_at` is 'YYYY-MM-DD HH:MM:SS', or NULL for an invalid
time."""
