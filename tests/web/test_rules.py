"""The rules in JavaScript, which know nothing of the page, in a real browser; some have a twin in Python."""

import random
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page

from games.models import to_letters
from games.rules.plays import Play, keyboard_of
from games.rules.puzzles import day_of
from games.rules.share_grid import draw_grid
from servicekit.db.sharding import shard_number

pytestmark = pytest.mark.slow

WORDS = ("crane", "abbey", "daddy", "eerie", "geese", "ahead")


def call(page: Page, module: str, function: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the rule returns
    expression = "async ([path, name, values]) => (await import(path))[name](...values)"
    return page.evaluate(expression, [f"/site/static/any/{module}.js", function, list(arguments)])


def to_guesses(play: Play) -> list[dict[str, object]]:
    """As the API answers them."""
    return [
        {"guess": guess, "letters": [letter.model_dump(mode="json") for letter in to_letters(guess, states)]}
        for guess, states in play.colours()
    ]


@pytest.mark.parametrize(
    ("typed", "letters"),
    [("crane", "crane"), ("  CRANE!", "crane"), ("c4r-a ne", "crane"), ("cranes", "crane"), ("\u212aéß", ""), ("", "")],
)
def test_only_five_letters_are_taken_of_what_is_typed(modules: Page, typed: str, letters: str) -> None:
    assert call(modules, "letters", "toLetters", typed) == letters


@pytest.mark.parametrize("guesses", [(), WORDS[:1], WORDS[1:4], WORDS])
def test_known_letters_are_those_of_the_api(modules: Page, guesses: tuple[str, ...]) -> None:
    play = Play(hard=False, guesses=guesses, answer="ahead")
    assert call(modules, "letters", "knownLetters", to_guesses(play)) == keyboard_of(play.colours())


@pytest.mark.parametrize(
    ("guesses", "hard"), [(("crane", "ahead"), False), (("ahead",), True), ((*WORDS[:5], "zebra"), True)]
)
def test_grid_to_share_is_that_of_the_api(modules: Page, guesses: tuple[str, ...], *, hard: bool) -> None:
    play = Play(hard=hard, guesses=guesses, answer="ahead")
    state = {"game_id": 268, "status": play.status, "hard": hard, "guesses": to_guesses(play)}
    assert call(modules, "share", "drawGrid", state) == draw_grid(268, play)


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_shard_of_a_player_is_that_of_the_service(modules: Page, shards: int) -> None:
    numbers = random.Random(shards)  # noqa: S311 - ids of a test
    for user in [UUID(int=0), UUID(int=2**128 - 1), *(UUID(int=numbers.getrandbits(128)) for _ in range(20))]:
        assert call(modules, "shards", "shardOf", str(user), shards) == shard_number(user, shards)


@pytest.mark.parametrize("game_id", [0, 1, 268, 1983, 5000])
def test_day_of_a_puzzle_is_that_of_the_service(modules: Page, game_id: int) -> None:
    assert call(modules, "calendar", "dayOf", game_id) == day_of(game_id).isoformat()


@pytest.mark.parametrize(
    ("month", "first_weekday", "days"), [("2026-11", 6, 30), ("2028-02", 1, 29), ("2027-02", 0, 28)]
)
def test_month_has_its_days_under_their_weekdays(modules: Page, month: str, first_weekday: int, days: int) -> None:
    weeks = call(modules, "calendar", "weeksOf", month)
    assert all(len(week) == 7 for week in weeks)
    shown = [day for week in weeks for day in week]
    assert shown[first_weekday] == f"{month}-01"
    assert shown[:first_weekday] == [None] * first_weekday
    assert [day for day in shown if day][-1] == f"{month}-{days}"
    assert date.fromisoformat(f"{month}-01").weekday() == first_weekday


@pytest.mark.parametrize(
    ("month", "number", "other"), [("2026-11", -1, "2026-10"), ("2026-12", 1, "2027-01"), ("2026-01", -1, "2025-12")]
)
def test_months_are_added_over_years(modules: Page, month: str, number: int, other: str) -> None:
    assert call(modules, "calendar", "addMonths", month, number) == other


@pytest.mark.parametrize(
    ("ms", "hours", "minutes"), [(0, 0, 0), (1, 0, 1), (60_000, 0, 1), (3_599_999, 1, 0), (7_260_001, 2, 2), (-5, 0, 0)]
)
def test_wait_is_rounded_up_to_minutes(modules: Page, ms: int, hours: int, minutes: int) -> None:
    assert call(modules, "wait", "splitWait", ms) == {"hours": hours, "minutes": minutes}


COUNTS = {"1": 0, "2": 10, "3": 20, "4": 30, "5": 20, "6": 11, "fail": 10}


@pytest.mark.parametrize(
    ("status", "guesses", "percent"), [("won", 2, 91), ("won", 4, 41), ("won", 6, 10), ("lost", 6, 0)]
)
def test_percent_of_players_who_did_worse(modules: Page, status: str, guesses: int, percent: int) -> None:
    assert call(modules, "better", "percentWorse", COUNTS, {"status": status, "guesses": [None] * guesses}) == percent


def test_nobody_did_worse_than_the_first_player(modules: Page) -> None:
    counts = dict.fromkeys(COUNTS, 0) | {"3": 1}
    assert call(modules, "better", "percentWorse", counts, {"status": "won", "guesses": [None] * 3}) is None


@pytest.mark.parametrize(("number", "text"), [(1, "1st"), (2, "2nd"), (13, "13th"), (23, "23rd"), (96_449, "96,449th")])
def test_rank_is_spelt_as_in_english(modules: Page, number: int, text: str) -> None:
    assert call(modules, "texts", "ordinal", number) == text


TIMING = (
    'total;dur=8.00;desc="games.1", plays;dur=1.00;desc="database", words;dur=4.00;desc="service",'
    ' words.total;dur=2.00;desc="words.1", words.words;dur=0.50;desc="database"'
)


def test_waterfall_has_each_part_within_the_one_around_it(modules: Page) -> None:
    parts = call(modules, "timing", "parseServerTiming", TIMING)
    assert [(part["name"], part["durationMs"]) for part in parts] == [
        ("total", 8), ("plays", 1), ("words", 4), ("words.total", 2), ("words.words", 0.5)
    ]  # fmt: skip
    bars = {bar["name"]: bar for bar in call(modules, "timing", "layOutWaterfall", 10, parts)}
    parents = {
        "total": "browser",
        "plays": "total",
        "words": "total",
        "words.total": "words",
        "words.words": "words.total",
    }
    for name, parent in parents.items():
        inner, outer = bars[name], bars[parent]
        assert inner["depth"] == outer["depth"] + 1
        assert outer["left"] - 1e-9 <= inner["left"]
        assert inner["left"] + inner["width"] <= outer["left"] + outer["width"] + 1e-9
    assert bars["words"]["left"] == pytest.approx(bars["plays"]["left"] + bars["plays"]["width"])
    assert bars["words.total"]["left"] == pytest.approx(bars["words"]["left"] + 0.1)


@pytest.mark.parametrize("header", ["", None, "cache", "total;dur=x"])
def test_odd_timing_gives_no_bar_but_the_browsers(modules: Page, header: str | None) -> None:
    parts = call(modules, "timing", "parseServerTiming", header)
    assert parts == []
    assert len(call(modules, "timing", "layOutWaterfall", 5, parts)) == 1


COUNT_MISSED = """async (instances) => {
    const { count, countMissed } = await import("/site/static/any/burst.js");
    const tally = new Map();
    for (const instance of instances) count(tally, { instance, ms: 1 });
    return [...tally.keys()].map((instance) => countMissed(tally, instance));
}"""


@pytest.mark.parametrize(
    ("instances", "missed"),
    [(["stats.1"], [0]), (["stats.1"] + ["stats.2"] * 11, [0, 0]), (["stats.1"] + ["stats.2"] * 13, [13, 0])],
)
def test_instance_has_missed_answers_after_more_than_a_burst_of_others(
    modules: Page, instances: list[str], missed: list[int]
) -> None:
    assert modules.evaluate(COUNT_MISSED, instances) == missed
