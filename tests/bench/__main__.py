"""`python -m tests.bench [--only accept,relay] [--quick | --long] [--out folder] [--compare report.json]`.

Measures Sorami against what people have instead, in the same run, and exits with 1 when a goal is missed.
"""

import argparse
import asyncio
import importlib
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import report, wrk
from tests.bench.plan import FULL, LONG, QUICK, Plan
from tests.bench.report import Row
from tests.bench.scenarios import SCENARIOS

OUT = Path(".sorami/bench")


def about(plan: Plan, command: str) -> dict[str, Any]:
    """Say when, on what and how it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}",
        "command": command,
        "commit": commit.stdout.strip(),
        "rounds": plan.rounds,
        "jobs": plan.jobs,
    }


async def measure(names: list[str], plan: Plan) -> tuple[list[Row], list[str]]:
    """Run scenarios one after the other; returns the rows, and the names of those that broke."""
    rows: list[Row] = []
    broken: list[str] = []
    for name in names:
        began = time.perf_counter()
        print(f"{name} …", flush=True)
        try:
            found = await importlib.import_module(f"tests.bench.scenarios.{name}").run(plan)
        except Exception as error:
            # One that breaks must not take the figures of the others with it.
            print(f"  {name} broke: {type(error).__name__}: {error}", flush=True)
            broken.append(name)
            continue
        print(report.as_table(found) + f"  {name}: {time.perf_counter() - began:.0f} s\n", flush=True)
        rows += found
    return rows, broken


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--only", default="", help=f"some of: {','.join(SCENARIOS)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--long", action="store_true", help="at a million and three million jobs")
    parser.add_argument("--rounds", type=int, help="rounds that are kept of each comparison")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--compare", type=Path, help="a report.json to compare with")
    given = parser.parse_args(argv)
    names = [name for name in given.only.split(",") if name] or list(SCENARIOS)
    if unknown := sorted(set(names) - set(SCENARIOS)):
        parser.error(f"there is no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    if not wrk.is_there():
        print("sorami: the load is made by wrk; install it, for example: sudo apt-get install -y wrk", file=sys.stderr)
        return 69
    plan = QUICK if given.quick else LONG if given.long else FULL
    plan = replace(plan, rounds=given.rounds or plan.rounds)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows, broken = runner.run(measure(names, plan))
    report.write(rows, given.out, about(plan, " ".join(["python -m tests.bench", *argv])))
    print(report.as_table(rows))
    if given.compare is not None:
        print(report.compare(report.read_rows(given.compare.read_text()), rows))
    missed = [row.figure for row in rows if row.met is False]
    for name in missed:
        print(f"missed: {name}")
    print(f"written to {given.out}: report.json, report.md, report.svg")
    return 1 if missed or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
