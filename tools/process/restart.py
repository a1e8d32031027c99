"""bin/restart: a rolling restart."""

import argparse
import os
import signal
import time
from collections.abc import Sequence

import psutil

from tools.config.paths import ROOT
from tools.process.layout import read_layout
from tools.process.processes import Instance, find_instances, list_children
from tools.script import run_script
from tools.wording import HelpFormatter

HELP = """Replaces the running instances of the services by new ones, one after the other, for instance after a change
of the code. Each old one is told to end when the new one in its place is ready: no request fails, and none has to wait.
What foreman read from .env stays as it was: a changed setting needs a new start of the suite. Traefik is not restarted:
it takes up a changed routes.toml by itself."""

TIMEOUT_S = 40
"""Above what bin/keep gives a new process to become ready, and an old one to end."""
POLL_S = 0.05


def replace(instance: Instance) -> None:
    """Returns when a new process has taken over and the old one has ended; raises SystemExit if none has."""
    if instance.keeper is None or not instance.processes:
        raise SystemExit(f"{instance.name} does not run: start the suite with bin/run.")
    if instance.is_earlier:
        raise SystemExit(
            f"{instance.name} runs under a bin/keep of an earlier version, which cannot replace it: stop the suite and"
            " start it once."
        )
    old = instance.processes[0]
    print(f"{instance.name}: process {old.pid} ... ", end="", flush=True)
    instance.keeper.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + TIMEOUT_S
    has_begun = False
    while True:
        children = list_children(instance.keeper)
        has_begun = has_begun or len(children) > 1 or old not in children
        if (has_begun and len(children) == 1) or time.monotonic() > deadline:
            break
        time.sleep(POLL_S)
    if children == (old,):  # also at the deadline: a new one that ended at once was perhaps never seen
        raise SystemExit(f"The new {instance.name} did not become ready, and the old one goes on: its log says why.")
    if len(children) != 1:
        raise SystemExit(f"{instance.name} was not replaced in {TIMEOUT_S} s: its log says why.")
    print(f"replaced by {children[0].pid}.")


def choose(instances: Sequence[Instance], names: Sequence[str]) -> list[Instance]:
    """Those with these names, or of these services; all if none is named. Raises SystemExit for an unknown name."""
    known = {instance.name for instance in instances} | {instance.name.partition(".")[0] for instance in instances}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"There is no {unknown[0]}: choose from {', '.join(sorted(known))}.")
    return [i for i in instances if not names or i.name in names or i.name.partition(".")[0] in names]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/restart", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a service (stats) or an instance (stats.2); all if none"
    )
    names = parser.parse_args(argv).names
    os.chdir(ROOT)
    instances = choose(find_instances(ROOT, read_layout(ROOT).services), names)
    try:
        for instance in instances:
            replace(instance)
    except psutil.NoSuchProcess as error:
        raise SystemExit("The suite was ended meanwhile.") from error
    print(f"{len(instances)} instances replaced.")
    return 0


if __name__ == "__main__":
    run_script(main)
