from tools.bench.bench import Turn, collect, compare, list_comparisons, list_growths
from tools.bench.workload import BARE, BARE_POST, ENDPOINTS, Endpoint
from tools.bench.wrk import Load

SIZE, TIMES_TEN = (100, 1000), (1000, 10_000)
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}


def load(rate: float, errors: int = 0) -> Load:
    return Load(rate, p50_ms=2, p99_ms=8, errors=errors)


def case(name: str, size: tuple[int, int] = SIZE) -> tuple[tuple[int, int], Endpoint]:
    return size, BY_NAME[name]


def test_every_endpoint_of_use_is_measured_once_and_beside_its_bare_one() -> None:
    turns = list_comparisons(SIZE)
    assert all([endpoint.limit for _, endpoint in turn] == [turn[0][1].name] * 2 for turn in turns)
    assert [turn[1][1].name for turn in turns] == [name for name in BY_NAME if name not in {BARE, BARE_POST}]


def test_every_read_is_measured_with_all_sizes_ten_times_as_much_beside_the_whole() -> None:
    turns = list_growths([SIZE, (10, 100), TIMES_TEN])
    assert [turn[0][1].name for turn in turns] == [endpoint.name for endpoint in ENDPOINTS if endpoint.is_read]
    assert {tuple(size for size, _ in turn) for turn in turns} == {((10, 100), SIZE, TIMES_TEN)}


def test_a_ratio_is_the_median_of_the_rounds_each_of_which_has_its_own() -> None:
    turn = (case(BARE), case("statistics"))
    rounds = [(load(1000), load(800)), (load(100), load(70)), (load(4000), load(3600))]  # a machine that is often busy
    assert compare({turn: rounds}) == {"statistics": 0.8}


def test_the_figures_of_a_bare_endpoint_are_those_of_all_its_runs() -> None:
    seen: dict[Turn, list[tuple[Load, ...]]] = {
        (case(BARE), case("statistics")): [(load(1000), load(700))],
        (case(BARE), case("a word")): [(load(3000, errors=1), load(900))],
        (case("statistics"), case("statistics", TIMES_TEN)): [(load(500), load(450))],
    }
    collected = collect(seen)
    assert collected[SIZE][BARE] == load(2000, errors=1)
    assert collected[SIZE]["statistics"] == load(600)
    assert collected[TIMES_TEN] == {"statistics": load(450)}
