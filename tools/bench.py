"""bin/bench: what a request to the sharded databases costs, beside one to an endpoint with no data behind it."""

import argparse
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import shuffle
from uuid import UUID

from tqdm import tqdm

from games.puzzles import game_id_of
from servicekit.tokens import Scope
from servicekit.values import to_stored_time
from tools.layout import PORTS_A_LINE
from tools.script import run_script
from tools.stack import Stack, copy_project, running_stack
from users.minting import TokenMint

DESCRIPTION = """Measures the statistics of a random player, both leaderboards, their rows around a player, and the
guesses of today's puzzle against bare endpoints: behind one Traefik, in one run, in turns, so that a noisy machine
favours no side. It starts a stack of its own, on other ports, with the access log off."""

SAMPLE = 20_000
"""How many players the load generator asks for in turn, and who play."""
BARE_POST, GUESS = "bare POST", "a guess"
GUESSES = ("lanes", "trips", "ducks", "bombs", "slots", "ferns")
"""Words of the dictionary that are never answers: all six may be made."""

BARE = """
[http.routers.bare]
rule = "PathPrefix(`/api/bare/`)"
service = "bare"
middlewares = ["strip-bare", "body", "retry-safely"]

[http.middlewares.strip-bare.stripPrefix]
prefixes = ["/api/bare"]

[http.services.bare.loadBalancer]
servers = [{servers}]
healthCheck = {{ path = "/health", interval = "1s", timeout = "1s" }}
"""

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
local last = 0
function request()
  last = last % #requests + 1
  return requests[last]
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw in one run."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    """Answers that are no 2xx, and connections that failed."""


def parse_wrk(output: str) -> Load:
    """Raises ValueError if a figure is missing."""

    def number(pattern: str) -> float:
        found = re.search(pattern, output)
        if found is None:
            raise ValueError(f"wrk printed no {pattern!r}:\n{output}")
        scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}.get(found[2], 1.0) if found.re.groups > 1 else 1.0
        return float(found[1]) * scale

    errors = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", output)))
    errors += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", output)))
    return Load(
        requests_per_s=number(r"Requests/sec:\s+([\d.]+)"),
        p50_ms=number(r"50%\s+([\d.]+)(us|ms|s)"),
        p99_ms=number(r"99%\s+([\d.]+)(us|ms|s)"),
        errors=errors,
    )


def add_bare_service(root: Path) -> None:
    """Three instances of tools/bare.py behind the stack's Traefik."""
    procfile = root / "Procfile"
    lines = procfile.read_text(encoding="utf-8")
    command = "exec .venv/bin/uvicorn --factory tools.bare:create_app --port $PORT --root-path /api/bare"
    procfile.write_text(f"{lines}bare: {command}\n", encoding="utf-8")
    foreman = root / ".foreman"
    text = foreman.read_text(encoding="utf-8").replace("stats=3", "stats=3,bare=3")
    foreman.write_text(text, encoding="utf-8")
    base = int(re.findall(r"^port: (\d+)", text, re.MULTILINE)[0]) + PORTS_A_LINE * lines.count("\n")
    servers = ", ".join(f'{{ url = "http://127.0.0.1:{base + instance}" }}' for instance in range(3))
    with (root / "routes.toml").open("a", encoding="utf-8") as routes:
        routes.write(BARE.format(servers=servers))


def write_reads(root: Path, players: Sequence[UUID]) -> dict[str, Path]:
    """A wrk script for each endpoint that reads, and for the bare ones."""
    result = '{"game_id":268,"won":true,"guesses":4,"finished":"2022-03-14T19:30:00Z"}'
    endpoints = {
        "bare": [f"GET /api/bare/users/{player} - " for player in players],
        "statistics": [f"GET /api/stats/users/{player} - " for player in players],
        "top ten, wins": ["GET /api/stats/leaders/wins - "],
        "top ten, streaks": ["GET /api/stats/leaders/streaks - "],
        "around, wins": [f"GET /api/stats/leaders/wins?around={player} - " for player in players],
        "around, streaks": [f"GET /api/stats/leaders/streaks?around={player} - " for player in players],
        BARE_POST: [f"POST /api/bare/users/{player}/games - {result}" for player in players],
    }
    return {
        name: write_script(root, f"reads{number}", requests)
        for number, (name, requests) in enumerate(endpoints.items())
    }


def write_guesses(root: Path, players: Sequence[UUID], *, runs: int) -> list[Path]:
    """A wrk script for each run, each with guesses of its own: a guess that is sent again is answered without effect.

    Begins a play of today's puzzle for each player: no service runs yet.
    """
    now = datetime.now(UTC)
    game_id = game_id_of(now.date())
    with closing(sqlite3.connect(root / "var" / "plays.db")) as plays:
        begun = to_stored_time(now)
        plays.executemany(
            "INSERT INTO plays (user_id, game_id, hard, begun) VALUES (?, ?, 0, ?)",
            [(player.bytes, game_id, begun) for player in players],
        )
        plays.commit()
    mint = TokenMint(root / "var" / "tokens.key")
    scripts = []
    share = len(players) // runs
    for run in range(runs):
        requests = []
        own = players[run * share : (run + 1) * share]
        tokens = [mint.mint(scope=Scope.PLAYER, user_id=player, now=now, lifetime=timedelta(hours=1)) for player in own]
        for attempt, guess in enumerate(GUESSES, start=1):
            for player, token in zip(own, tokens, strict=True):
                body = f'{{"attempt":{attempt},"guess":"{guess}"}}'
                requests.append(f"POST /api/games/{game_id}/plays/{player}/guesses {token} {body}")
        scripts.append(write_script(root, f"guesses{run}", requests))
    return scripts


def write_script(root: Path, name: str, requests: Sequence[str]) -> Path:
    listed, script = root / f"{name}.txt", root / f"{name}.lua"
    listed.write_text("\n".join(requests), encoding="utf-8")
    script.write_text(LUA.replace("REQUESTS", str(listed)), encoding="utf-8")
    return script


def choose_players(root: Path) -> list[UUID]:
    """Random ones of those who have played."""
    players: list[UUID] = []
    for shard in sorted((root / "var").glob("games?.db")):
        with closing(sqlite3.connect(f"file:{shard}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT user_id FROM standings ORDER BY random() LIMIT ?", (SAMPLE // 3,))
            players += [UUID(bytes=user_id) for (user_id,) in rows]
    shuffle(players)
    return players


def run_wrk(stack: Stack, script: Path, *, seconds: int, connections: int) -> Load:
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--latency", "--script", str(script), stack.url]
    return parse_wrk(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(stack: Stack, scripts: dict[str, list[Path]], *, seconds: int, connections: int) -> dict[str, list[Load]]:
    """Every endpoint once a round, with its script for that round, after a round that only warms up."""
    loads: dict[str, list[Load]] = {name: [] for name in scripts}
    turns = [(number, name) for number in range(len(scripts[GUESS])) for name in scripts]
    for number, name in tqdm(turns, "measuring", unit="run", disable=None):
        load = run_wrk(stack, scripts[name][number], seconds=seconds if number else 1, connections=connections)
        if number:
            loads[name].append(load)
    return loads


def print_table(loads: dict[str, list[Load]]) -> int:
    """The medians; the number of errors in all runs."""
    limits = {name: statistics.median(load.requests_per_s for load in loads[name]) for name in ("bare", BARE_POST)}
    print(f"{'endpoint':<18}{'requests/s':>12}{'of bare':>9}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}")
    for name, runs in loads.items():
        rate, p50, p99 = (
            statistics.median(values)
            for values in zip(*((run.requests_per_s, run.p50_ms, run.p99_ms) for run in runs), strict=True)
        )
        errors = sum(run.errors for run in runs)
        bare = limits[BARE_POST if name in {BARE_POST, GUESS} else "bare"]
        print(f"{name:<18}{rate:>12,.0f}{rate / bare:>9.2f}{p50:>9.2f}{p99:>9.2f}{errors:>8}")
    return sum(run.errors for runs in loads.values() for run in runs)


def bench(arguments: argparse.Namespace) -> int:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk, the load generator, is not installed (Debian: apt-get install wrk).")
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as folder:
        root = Path(folder)
        copy_project(root)
        add_bare_service(root)
        population = ["--users", str(arguments.users), "--games", str(arguments.games)]
        subprocess.run([root / "bin" / "populate", *population], check=True)
        subprocess.run([root / "bin" / "init"], check=True)
        players = choose_players(root)
        runs = arguments.rounds + 1
        scripts = {name: [script] * runs for name, script in write_reads(root, players).items()}
        scripts[GUESS] = write_guesses(root, players, runs=runs)
        with running_stack(root, runner="honcho", environment={"ACCESS_LOG": "false"}) as stack:
            loads = measure(stack, scripts, seconds=arguments.seconds, connections=arguments.connections)
    return 1 if print_table(loads) else 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "bin/bench", description=DESCRIPTION, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--users", type=int, default=100_000, help="players in the stack's databases")
    parser.add_argument("--games", type=int, default=1_000_000, help="their games")
    parser.add_argument("--connections", type=int, default=32, help="connections of the load generator")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each endpoint")
    parser.add_argument("--seconds", type=int, default=4, help="length of a run")
    return bench(parser.parse_args(argv))


if __name__ == "__main__":
    run_script(main)
