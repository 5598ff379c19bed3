"""The soak: one long load with a random fault every ten seconds, judged as a whole at the end."""

import asyncio
import os
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.chaos.judge import Judge
from tests.chaos.load import Load
from tests.chaos.report import Entry, Report
from tests.chaos.rig import Rig

EVERY = 10.0
JOBS_PER_SECOND = float(os.environ.get("JOBS_PER_SECOND", "28"))
"""100,000 jobs an hour."""
SETTLES_WITHIN = 300.0
VICTIMS = ("gateway", "persistence", "generator", "notifier", "kafka", "postgres", "s3")
POINTS = (
    *(("gateway", point) for point in ("gw.before_commit", "gw.after_commit", "relay.after_publish")),
    *(("persistence", point) for point in ("per.before_commit", "per.after_commit", "relay.before_publish")),
    *(("generator", point) for point in ("gen.after_claim", "gen.after_operation_stored", "gen.after_put")),
    *(("generator", point) for point in ("gen.before_report", "gen.while_downloading", "relay.after_publish")),
    *(("notifier", point) for point in ("wh.before_post", "wh.after_post")),
)
Fault = Callable[[Rig, Load], Awaitable[str]]


async def _kill(rig: Rig, load: Load) -> str:
    victim = load.random.choice(VICTIMS)
    await rig.kill(victim)
    return f"SIGKILL {victim}"


async def _restart(rig: Rig, load: Load) -> str:
    victim = load.random.choice(VICTIMS[:4])
    await rig.restart(victim)
    return f"SIGTERM {victim}"


async def _freeze(rig: Rig, load: Load) -> str:
    victim, seconds = load.random.choice(VICTIMS), load.random.uniform(1, 6)
    rig.freeze(victim)
    await asyncio.sleep(seconds)
    rig.thaw(victim)
    return f"SIGSTOP {victim} for {seconds:.1f} s"


async def _weather(rig: Rig, load: Load) -> str:
    pair = load.random.choice([pair for pair in sorted(rig.links) if pair[1] != "provider"])
    weather = load.random.choice(({"hold_up": True}, {"hold_down": True}, {"refuses": True}, {"latency": 0.3}))
    seconds = load.random.uniform(1, 6)
    rig.between(*pair).become(**weather)
    await asyncio.sleep(seconds)
    rig.between(*pair).clear()
    return f"{pair[0]} to {pair[1]}: {next(iter(weather))} for {seconds:.1f} s"


async def _reset(rig: Rig, load: Load) -> str:
    pair = load.random.choice([pair for pair in sorted(rig.links) if pair[1] != "provider"])
    rig.between(*pair).reset()
    return f"{pair[0]} to {pair[1]}: every connection reset"


async def _point(rig: Rig, load: Load) -> str:
    service, point = load.random.choice(POINTS)
    armed = rig.arm(service, point)
    try:
        await rig.fired(armed, within=5)
    except TimeoutError:
        armed.unlink(missing_ok=True)
    return f"SIGKILL {service} at {point}"


FAULTS: tuple[Fault, ...] = (_kill, _kill, _restart, _freeze, _weather, _weather, _reset, _point, _point)


def seconds_of(text: str) -> float:
    """Read 90s, 10m or 1h; raises ValueError."""
    found = re.fullmatch(r"(\d+)([smh])", text)
    if found is None:
        raise ValueError(f"{text!r} is no time: 90s, 10m, 1h")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


async def soak(report: Report, seed: int, duration: str) -> None:
    """Load and break for `duration`, then judge."""
    rig = Rig(report.folder / "rig")
    async with rig.running():
        load = Load(rig, "soak", seed)
        judge = Judge(rig, load)
        await load.begin()
        began = time.monotonic()
        load.work(JOBS_PER_SECOND)
        # A worker that dies between the submit and its note leaves an outcome nobody knows.
        load.expected.failures = frozenset({"outcome_unknown"})
        done: list[str] = []
        while time.monotonic() - began < seconds_of(duration):
            await asyncio.sleep(EVERY)
            fault = load.random.choice(FAULTS)
            done.append(f"{time.monotonic() - began:6.0f} s  {await fault(rig, load)}")
            print(f"  {done[-1]}  ({len(load.asked)} jobs)", flush=True)
            (report.folder / "faults.txt").write_text("\n".join(done) + "\n")
        await load.rest()
        rig.clear()
        await rig.ready()
        verdict = await judge.verdict(SETTLES_WITHIN)
        await load.end()
        words = f"{len(done)} random faults, one every {EVERY:.0f} s, at {JOBS_PER_SECOND:g} jobs a second"
        entry = Entry("soak", "issue 9, soak", seed, words, "green" if verdict.is_green else "red")
        entry.seconds = time.monotonic() - began
        entry.violations, entry.figures = verdict.violations, verdict.figures
        report.add(entry)
        print(f"  {entry.outcome}: {_said(entry, len(done))}\n  {entry.figures}", flush=True)
        for name, found in entry.violations[:20]:
            print(f"    {name}: {found}", flush=True)
        rig.is_kept = not verdict.is_green


def _said(entry: Entry, faults: int) -> str:
    """The figures in one line, by the judge's invariants."""
    found = Counter(name for name, _ in entry.violations)
    moved, ends = found["I2"] + found["I3"], entry.figures["ends"]
    return (
        f"{entry.figures['jobs']} jobs ({ends}) and {faults} faults: {found['I1']} lost or stuck, {moved} moved back, "
        f"{found['I5'] + found['I8']} doubled, {found['I4'] + found['I7']} wrong or nobody's files, "
        f"{found['I6'] + found['I10']} untold, {found['I9']} unexplained dead letters or rests"
    )
