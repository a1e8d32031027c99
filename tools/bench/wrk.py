"""The load generator of bin/bench: Debian's wrk, which saturates four services from a single core."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tools.bench.process_usage import CpuTime, read_cpu_time

# A script in wrk's own language: it sends the requests of a file, one a line: method, path, token, body.
LUA = """
local requests = {}
function init(arguments)
  for line in io.lines("REQUESTS") do
    local method, path, token, body = line:match("^(%S+) (%S+) (%S+) (.*)$")
    local headers = { ["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json" }
    if token ~= "-" then headers["Authorization"] = "Bearer " .. token end
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
end
local calls = -1  -- wrk calls this once before the run, and does not send the result
function request()
  calls = calls + 1
  return requests[(math.max(calls, 1) - 1) % #requests + 1]
end
"""
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
WARM_UP_S = 1


@dataclass(frozen=True, slots=True)
class Load:
    """The figures of a run, or of several: the median of each figure, and the sum of the errors."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    """Responses other than 2xx and 3xx, and failed connections."""
    cpu: CpuTime
    """Of the stack, per request; wrk's own is not included."""


def take_medians(loads: Sequence[Load]) -> Load:
    return Load(
        requests_per_s=median(load.requests_per_s for load in loads),
        p50_ms=median(load.p50_ms for load in loads),
        p99_ms=median(load.p99_ms for load in loads),
        errors=sum(load.errors for load in loads),
        cpu=CpuTime(
            median(load.cpu.services_us for load in loads),
            median(load.cpu.traefik_us for load in loads),
            median(load.cpu.supervision_us for load in loads),
            median(load.cpu.server_us for load in loads),
        ),
    )


def parse_wrk(output: str, cpu: CpuTime) -> Load:
    """`cpu` is the stack's during the run. Raises SystemExit if a figure is missing."""

    def find(pattern: str) -> re.Match[str]:
        found = re.search(pattern, output)
        if found is None:
            raise SystemExit(f"wrk printed no {pattern!r}; it printed:\n{output}")
        return found

    def find_ms(percent: int) -> float:
        number, unit = find(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b").groups()
        return float(number) * MILLISECONDS[unit]

    errors = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", output)))
    errors += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", output)))
    return Load(
        requests_per_s=float(find(r"Requests/sec:\s+([\d.]+)")[1]),
        p50_ms=find_ms(50),
        p99_ms=find_ms(99),
        errors=errors,
        cpu=cpu / int(find(r"(\d+) requests in ")[1]),
    )


def require_wrk() -> None:
    """Raises SystemExit with a sentence if wrk is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk, the load generator, is not installed (Debian: apt-get install wrk).")


def write_script(folder: Path, name: str, requests: Sequence[str]) -> Path:
    """Writes a script that sends the requests in this order, over and over; each is a line as LUA reads it."""
    listed, script = folder / f"{name}.txt", folder / f"{name}.lua"
    listed.write_text("\n".join(requests), encoding="utf-8")
    script.write_text(LUA.replace("REQUESTS", str(listed)), encoding="utf-8")
    return script


@dataclass(frozen=True, slots=True)
class Target:
    """A running stack, as the load generator sees it."""

    url: str
    """Traefik's entry point, without a slash at the end."""
    pids: Sequence[int]
    """The processes whose CPU time counts, with all below them."""


@dataclass(frozen=True, slots=True)
class LoadGenerator:
    connections: int
    rounds: int
    """After a warm-up, round 0."""
    seconds: int
    """Of each run; the warm-up's is WARM_UP_S."""

    def run(self, target: Target, script: Path, *, number: int) -> Load:
        """A run in the round of that number."""
        seconds = self.seconds if number else WARM_UP_S
        command = ["wrk", "--threads", "1", "--connections", str(self.connections), "--duration", f"{seconds}s"]
        command += ["--latency", "--script", str(script), target.url]
        before = read_cpu_time(target.pids)
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return parse_wrk(output, read_cpu_time(target.pids) - before)
