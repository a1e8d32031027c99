from tests.support.bench import make_load
from tools.bench.rounds import collect, compare, list_ratios, measure
from tools.bench.wrk import Load

TURN = ("naked", "honcho")


def test_every_second_round_is_reversed_without_the_warm_up() -> None:
    runs: list[tuple[int, str]] = []

    def run(case: str, number: int) -> Load:
        runs.append((number, case))
        return make_load(rate=100 * number + len(case))

    measured = measure([TURN], run, rounds=2)
    assert runs == [(0, "naked"), (0, "honcho"), (1, "honcho"), (1, "naked"), (2, "naked"), (2, "honcho")]
    assert measured == {TURN: [(make_load(105), make_load(106)), (make_load(205), make_load(206))]}


def test_all_turns_are_measured_in_each_round() -> None:
    runs: list[tuple[int, str]] = []

    def run(case: str, number: int) -> Load:
        runs.append((number, case))
        return make_load()

    measure([("a",), ("b",)], run, rounds=1)
    assert runs == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]


def test_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    rounds = [(make_load(1000), make_load(800)), (make_load(100), make_load(70)), (make_load(4000), make_load(3600))]
    assert list_ratios({TURN: rounds}) == {"honcho": [0.8, 0.7, 0.9]}
    assert compare({TURN: rounds}) == {"honcho": 0.8}


def test_case_of_several_turns_has_the_medians_of_all_its_runs() -> None:
    collected = collect(
        {
            ("bare", "statistics"): [(make_load(1000), make_load(700))],
            ("bare", "a word"): [(make_load(3000, errors=1), make_load(900))],
        }
    )
    assert collected == {
        "bare": make_load(2000, errors=1),
        "statistics": make_load(700),
        "a word": make_load(900),
    }
