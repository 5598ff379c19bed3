"""`make chaos`: `python -m tests.chaos [--full | --short | --only NAMES | --soak 1h | --mutations] [--seed N]`.

`make upgrade-check`: the same with `--upgrade COMMIT`.
"""

import argparse
import asyncio
import logging
import random
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.chaos.report import Report
from tests.chaos.runner import Runner
from tests.chaos.scenarios import chosen

FOLDER = Path(".sorami/chaos")
CUT_OFF = 130
"""The exit code of a run that somebody ended, as a shell has it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="every row that runs here, before a release")
    parser.add_argument("--short", action="store_true", help="one row of each service and server")
    parser.add_argument("--only", default="", help="scenarios whose names begin with these, by comma")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--soak", default="", help="a random fault every ten seconds, for so long: 90s, 10m, 1h")
    parser.add_argument(
        "--mutations", action="store_true", help="take one guarantee away at a time: the judge must see it"
    )
    parser.add_argument("--upgrade", default="", help="the commit whose code is replaced by this one's, under load")
    parser.add_argument("--list", action="store_true", help="name every scenario and its row")
    options = parser.parse_args()
    scenarios = chosen(only=options.only, full=options.full or options.list, short=options.short)
    if options.list:
        for one in scenarios:
            print(f"{one.name:44} {one.row}\n    {one.words}")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(100_000)
    report = Report(FOLDER.absolute() / f"{time.strftime('%Y%m%d-%H%M%S')}-{seed}", f"Chaos, seed {seed}")
    report.write()
    # The receiver and the fake provider are broken on purpose, and would say so at length.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    print(f"seed {seed}, report: {report.folder}/report.md", flush=True)
    try:
        asyncio.run(_unless_cut_off(_run(options, report, seed, scenarios)))
    except asyncio.CancelledError:
        print(f"cut off: {report.summary()}", flush=True)
        return CUT_OFF
    print(report.summary(), flush=True)
    return 1 if report.outcomes("red") else 0


async def _unless_cut_off(work: Coroutine[Any, Any, None]) -> None:
    """Run it; Ctrl-C and SIGTERM end it once, and what it started is woken and stopped before this raises."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def cut_off() -> None:
        if not task.cancelling():
            print("cut off: ending what was started", flush=True)
            task.cancel()

    for how in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(how, cut_off)
    await task


async def _run(options: argparse.Namespace, report: Report, seed: int, scenarios: list) -> None:  # type: ignore[type-arg]
    if options.upgrade:
        from tests.chaos.upgrade import check

        await check(report, seed, options.upgrade)
    elif options.mutations:
        from tests.chaos.mutations import prove

        await prove(report, seed, options.only)
    elif options.soak:
        from tests.chaos.soak import soak

        await soak(report, seed, options.soak)
    else:
        await Runner(report, seed).run(scenarios)


if __name__ == "__main__":
    sys.exit(main())
