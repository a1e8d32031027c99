from tests.support.bench import make_load
from tools.bench.bench import Case, group_by_size, list_comparisons, list_growths, name_endpoints
from tools.bench.workload import BARE, BARE_POST, ENDPOINTS

SIZE, TIMES_TEN = (100, 1000), (1000, 10_000)
BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
STATISTICS: Case = (SIZE, BY_NAME["statistics"])
WITH_TIMES_TEN: Case = (TIMES_TEN, BY_NAME["statistics"])


def test_every_endpoint_is_measured_once_after_its_bare_one() -> None:
    turns = list_comparisons(SIZE)
    assert all([endpoint.reference for _, endpoint in turn] == [turn[0][1].name] * 2 for turn in turns)
    assert [turn[1][1].name for turn in turns] == [name for name in BY_NAME if name not in {BARE, BARE_POST}]


def test_every_read_is_measured_with_all_sizes_the_largest_last() -> None:
    turns = list_growths([SIZE, (10, 100), TIMES_TEN])
    assert [turn[0][1].name for turn in turns] == [endpoint.name for endpoint in ENDPOINTS if endpoint.is_read]
    assert {tuple(size for size, _ in turn) for turn in turns} == {((10, 100), SIZE, TIMES_TEN)}


def test_loads_are_grouped_by_size_and_endpoint() -> None:
    loads = {(SIZE, BY_NAME[BARE]): make_load(2000), STATISTICS: make_load(600), WITH_TIMES_TEN: make_load(450)}
    assert group_by_size(loads) == {
        SIZE: {BARE: make_load(2000), "statistics": make_load(600)},
        TIMES_TEN: {"statistics": make_load(450)},
    }


def test_ratios_are_named_after_their_endpoints() -> None:
    assert name_endpoints({STATISTICS: 0.8}) == {"statistics": 0.8}
