"""The load generator of bin/bench: Debian's wrk, which one core feeds with more than four services can answer."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# wrk's own language: it goes through the requests of a file, one a line: method, path, token, body.
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
local calls = -1  -- wrk asks once before it begins, and does not send what it gets
function request()
  calls = calls + 1
  return requests[(math.max(calls, 1) - 1) % #requests + 1]
end
"""
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw in one run, or in the middle one of several, each figure by itself."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    """Answers that are no 2xx, and connections that failed; of several runs, all."""


def take_medians(loads: Sequence[Load]) -> Load:
    return Load(
        requests_per_s=median(load.requests_per_s for load in loads),
        p50_ms=median(load.p50_ms for load in loads),
        p99_ms=median(load.p99_ms for load in loads),
        errors=sum(load.errors for load in loads),
    )


def parse_wrk(output: str) -> Load:
    """Raises ValueError if a figure is missing."""

    def find(pattern: str) -> re.Match[str]:
        found = re.search(pattern, output)
        if found is None:
            raise ValueError(f"wrk printed no {pattern!r}:\n{output}")
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
    )


def require_wrk() -> None:
    """Raises SystemExit with a sentence if it is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk, the load generator, is not installed (Debian: apt-get install wrk).")


def write_script(folder: Path, name: str, requests: Sequence[str]) -> Path:
    """Requests as LUA reads them, which are sent in this order, over and over."""
    listed, script = folder / f"{name}.txt", folder / f"{name}.lua"
    listed.write_text("\n".join(requests), encoding="utf-8")
    script.write_text(LUA.replace("REQUESTS", str(listed)), encoding="utf-8")
    return script


def run_wrk(url: str, script: Path, *, seconds: int, connections: int) -> Load:
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--latency", "--script", str(script), url]
    return parse_wrk(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
