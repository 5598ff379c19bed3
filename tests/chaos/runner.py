"""Plays scenarios one after the other on one rig, has each judged, and makes a new rig where one was left broken."""

import asyncio
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.judge import Judge, Verdict, brief
from tests.chaos.load import Load
from tests.chaos.report import Entry, Report
from tests.chaos.rig import Rig
from tests.chaos.scenarios import NotHere, Scenario

PLAYS_WITHIN = 150.0
"""Seconds a scenario may take before its judgement, for each broker it is played on."""


class Runner:
    """Plays scenarios into a report; folders of rigs that were left red are kept beside it."""

    def __init__(self, report: Report, seed: int) -> None:
        self._report = report
        self._seed = seed
        self._rig: Rig | None = None
        self._number = 0

    async def run(self, scenarios: Sequence[Scenario]) -> None:
        try:
            for one in scenarios:
                await self.play(one)
        finally:
            await self._leave()

    async def play(self, one: Scenario) -> Entry:
        """Play and judge one scenario."""
        entry = Entry(one.name, one.row, self._seed, one.words, "green")
        rig = await self._ready_rig(one.nodes)
        began = time.monotonic()
        verdict = await self._judged(one, rig, entry)
        entry.seconds = time.monotonic() - began
        entry.violations, entry.figures = verdict.violations, verdict.figures
        if entry.outcome != "skipped":
            entry.outcome = "green" if verdict.is_green else "red"
        self._report.add(entry)
        _tell(entry)
        if entry.outcome == "red":
            await self._leave(keep=True)
        return entry

    async def _judged(self, one: Scenario, rig: Rig, entry: Entry) -> Verdict:
        load = Load(rig, one.name, self._seed)
        judge = Judge(rig, load)
        failed: list[tuple[str, str]] = []
        try:
            await load.begin()
            async with asyncio.timeout(PLAYS_WITHIN * one.nodes):
                await one.play(rig, load)
                await load.rest()
            rig.clear()
            await rig.ready()
        except NotHere as reason:
            entry.outcome, entry.why = "skipped", str(reason)
            await load.end()
            return Verdict()
        except (Exception, asyncio.CancelledError) as error:
            # aiokafka's consumers let a cancellation of their own out when they are stopped in need.
            if _is_cut_off():
                raise
            await rig.mend()
            where = traceback.extract_tb(error.__traceback__)[-1]
            failed.append(("scenario", f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"))
            (self._report.folder / f"{one.name}.traceback.txt").write_text(traceback.format_exc())
        try:
            await load.rest()
            verdict = await judge.verdict()
        finally:
            rig.receiver.plays.clear()
            await load.end()
        verdict.violations[:0] = failed
        return verdict

    async def _ready_rig(self, nodes: int) -> Rig:
        if self._rig is not None and self._rig.count != nodes:
            await self._leave()
        if self._rig is None:
            self._number += 1
            self._rig = Rig(self._report.folder / f"rig-{self._number}", nodes=nodes)
            began = time.monotonic()
            await self._rig.start()
            print(f"  rig {self._number} is up after {time.monotonic() - began:.1f} s", flush=True)
        return self._rig

    async def _leave(self, *, keep: bool = False) -> None:
        rig, self._rig = self._rig, None
        if rig is not None:
            rig.is_kept = keep
            await rig.stop()
            if keep:
                print(f"    logs and data: {rig.stack.home.root}", flush=True)


def _is_cut_off() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _tell(entry: Entry) -> None:
    jobs, settled = entry.figures.get("jobs", 0), entry.figures.get("settled_seconds", "")
    print(f"  {entry.outcome:7} {entry.name:42} {entry.seconds:5.1f} s  {jobs:4} jobs  settled {settled} s", flush=True)
    if entry.why:
        print(f"    {entry.why}", flush=True)
    for line in brief(entry.violations):
        print(f"    {line}", flush=True)
    if entry.outcome == "red":
        print(f"    again: {entry.repeat}", flush=True)
