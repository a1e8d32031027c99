import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tools.bench.process_usage import CpuTime
from tools.bench.wrk import Load, LoadGenerator, Target, parse_wrk, take_medians, write_script

CPU = CpuTime(services_us=3_322_200, traefik_us=1_661_100, supervision_us=332_220)
"""Of the stack while OUTPUT's 16,611 requests were served."""
PER_REQUEST = CpuTime(services_us=200, traefik_us=100, supervision_us=20)
OUTPUT = """Running 4s test @ http://127.0.0.1:18900
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     9.27ms   11.90ms 139.42ms   92.13%
    Req/Sec     4.17k   615.30     5.02k    72.50%
  Latency Distribution
     50%    {p50}
     75%    9.81ms
     90%   17.99ms
     99%    {p99}
  16611 requests in 4.00s, 5.62MB read
Requests/sec:   4150.67
Transfer/sec:      1.40MB
"""
FAILURES = """  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 500
"""


@pytest.mark.parametrize(
    ("p50", "p99", "expected"),
    [
        ("6.93ms", "62.40ms", (6.93, 62.4)),
        ("930.00us", "1.20s", (0.93, 1200.0)),
        ("2.00s", "1.01m", (2000.0, 60_600.0)),
    ],
)
def test_rate_and_latencies_are_parsed_in_any_unit(p50: str, p99: str, expected: tuple[float, float]) -> None:
    load = parse_wrk(OUTPUT.format(p50=p50, p99=p99), CPU)
    assert (load.requests_per_s, load.errors) == (4150.67, 0)
    assert (load.p50_ms, load.p99_ms) == pytest.approx(expected)


def test_cpu_time_is_divided_by_the_number_of_requests() -> None:
    assert parse_wrk(OUTPUT.format(p50="1.00ms", p99="2.00ms"), CPU).cpu == PER_REQUEST


def test_refusals_and_failed_connections_are_errors() -> None:
    assert parse_wrk(OUTPUT.format(p50="1.00ms", p99="2.00ms") + FAILURES, CPU).errors == 510


def test_output_without_a_figure_is_shown() -> None:
    with pytest.raises(SystemExit, match=r"^wrk printed no 'Requests/sec[\s\S]*Connection refused"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n", CPU)


def test_each_figure_is_a_median_and_errors_are_summed() -> None:
    loads = [
        Load(100, 5, 9, 1, CpuTime(30, 5, 0)),
        Load(300, 1, 8, 0, CpuTime(20, 7, 2)),
        Load(200, 2, 70, 2, CpuTime(10, 6, 1)),
    ]
    assert take_medians(loads) == Load(200, 2, 9, 3, CpuTime(20, 6, 1))


def test_script_reads_its_requests_from_a_file(tmp_path: Path) -> None:
    script = write_script(tmp_path, "words", ["GET /api/words/crane - ", "GET /api/words/slate - "])
    listed = tmp_path / "words.txt"
    assert listed.read_text(encoding="utf-8").splitlines() == ["GET /api/words/crane - ", "GET /api/words/slate - "]
    assert f'io.lines("{listed}")' in script.read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_requests_are_sent_in_their_order_from_the_first(tmp_path: Path) -> None:
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    script = write_script(tmp_path, "letters", ["GET /a - ", "GET /b - ", "GET /c - "])
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            target = Target(f"http://127.0.0.1:{server.server_port}", [os.getpid()])
            load = LoadGenerator(connections=1, rounds=1, seconds=1).run(target, script, number=0)
        finally:
            server.shutdown()
    assert load.errors == 0
    assert load.cpu.total_us > 0
    assert seen[:5] == ["/a", "/b", "/c", "/a", "/b"]
