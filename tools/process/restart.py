"""bin/restart: a rolling restart."""

import argparse
import os
import signal
import time
from collections.abc import Sequence

import psutil

from tools.config.paths import ROOT, read_data_paths
from tools.process.layout import read_layout
from tools.process.processes import Instance, find_instances, list_children
from tools.script import run_script
from tools.wording import HelpFormatter, count

HELP = """Replaces the running instances of the services one by one, after a change of the code or of .env. Each old
process is terminated when the new one is ready: no request fails, and none has to wait. Traefik is not restarted: it
reloads a changed routes.toml by itself, and the limits in .env when the suite is started again."""

TIMEOUT_S = 40
"""More than the time that bin/keep gives a new process to become ready and an old one to exit."""
POLL_S = 0.05


def replace(instance: Instance) -> None:
    """Returns when a new process is ready and the old one has exited; otherwise raises SystemExit."""
    if instance.supervisor is None:
        raise SystemExit(f"{instance.name} does not run: start the suite with bin/run.")
    if not instance.processes:
        raise SystemExit(
            f"{instance.name} has exited, and its supervisor is about to restart it: the log says why it exited."
        )
    if instance.is_earlier:
        raise SystemExit(
            f"{instance.name} runs under a bin/keep of an earlier version, which cannot replace it: stop the suite and"
            " start it once."
        )
    old = instance.processes[0]
    print(f"{instance.name}: process {old.pid} ... ", end="", flush=True)
    instance.supervisor.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + TIMEOUT_S
    has_started = False
    while True:
        children = list_children(instance.supervisor)
        has_started = has_started or len(children) > 1 or old not in children
        if (has_started and len(children) == 1) or time.monotonic() > deadline:
            break
        time.sleep(POLL_S)
    if children == (old,):  # also at the deadline: a new process that exits at once may never be seen
        raise SystemExit(f"The new {instance.name} did not become ready, and the old one stays: the log says why.")
    if len(children) != 1:
        raise SystemExit(f"{instance.name} was not replaced within {TIMEOUT_S} s: the log says why.")
    print(f"replaced by {children[0].pid}.")


def select_instances(instances: Sequence[Instance], names: Sequence[str]) -> list[Instance]:
    """By names of instances or services; all without names. Raises SystemExit for an unknown name."""
    known = {instance.name for instance in instances} | {instance.name.partition(".")[0] for instance in instances}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"There is no {unknown[0]}: choose from {', '.join(sorted(known))}.")
    return [i for i in instances if not names or i.name in names or i.name.partition(".")[0] in names]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("bin/restart", description=HELP, formatter_class=HelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a service (stats) or an instance (stats.2); the default is all"
    )
    names = parser.parse_args(argv).names
    os.chdir(ROOT)
    read_data_paths()  # refuses invalid settings first
    instances = select_instances(find_instances(ROOT, read_layout(ROOT).services), names)
    try:
        for instance in instances:
            replace(instance)
    except psutil.NoSuchProcess as error:
        raise SystemExit("The suite was stopped during the restart.") from error
    print(f"{count(len(instances), 'instance')} replaced.")
    return 0


if __name__ == "__main__":
    run_script(main)
