"""`make upgrade-check BASE=<commit>`: that commit's code and today's, beside each other under load, there and back.

Clients may not see one error: a request goes to the gateway that is not being replaced, as behind any load balancer.
"""

import asyncio
import io
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from services.runtime.schema_version import LOWEST_SCHEMA
from sorami.local.errors import StackError
from tests.chaos.judge import Judge
from tests.chaos.launch import SECOND
from tests.chaos.load import Load
from tests.chaos.report import Entry, Report
from tests.chaos.rig import LINKS, Rig

HERE = Path(__file__).parents[2]
JOBS_PER_SECOND = 6.0
STEP_SECONDS = 2.5
EXPECTED = {"200", "202", "409"}
"""What clients may be answered; 409 is a cancel that came too late."""
SCHEMA = r"SELECT max(substring(name FROM '^\d{4}')::int) FROM sorami.schema_migrations"


class Upgrade:
    """One rig that begins as another commit and becomes ours, step by step."""

    def __init__(self, rig: Rig, load: Load, base: Path) -> None:
        self._rig = rig
        self._load = load
        self._base = base
        self.steps: list[str] = []

    async def play(self) -> None:
        """Load, and every step of an upgrade and of the way back, each with everything else at work."""
        async with self._rig.second("gateway"):
            self._load.urls = self._gateways
            self._load.work(JOBS_PER_SECOND)
            await self._step("old code on the old schema")
            await self._new_on_the_old_schema()
            await asyncio.to_thread(self._migrate)
            await self._step(f"the schema is {await self._rig.value(SCHEMA)} now, under old code")
            await self._each(self._base, "restarted as it was, on the new schema")
            await self._each(None, "new beside old")
            await self._each(self._base, "back to old beside new, on the new schema")
            await self._each(None, "new once more")
            await self._load.rest()
            self._load.urls = self._gateways[:1]

    @property
    def _gateways(self) -> tuple[str, ...]:
        return self._rig.product.url, self._rig.second_gateway_url

    async def _step(self, words: str) -> None:
        await asyncio.sleep(STEP_SECONDS)
        self.steps.append(words)
        print(f"    {words}: {len(self._load.asked)} jobs, answers {dict(self._load.answers)}", flush=True)
        odd = set(self._load.answers) - EXPECTED
        assert not odd, f"clients saw {odd} at: {words}"

    async def _new_on_the_old_schema(self) -> None:
        """Today's code starts beside the old on what the old one has, or says in a line what is missing."""
        schema = await self._rig.value(SCHEMA)
        for service in ("persistence", "generator", "notifier"):
            self._rig.give_code(service + SECOND, None)
            if schema >= LOWEST_SCHEMA:
                async with self._rig.second(service):
                    await self._step(f"new {service} beside old on schema {schema}")
            else:
                await self._refused(service + SECOND, schema)
        await self._step("old code goes on")

    async def _refused(self, name: str, schema: int) -> None:
        try:
            await self._rig.stack.astart(name)
        except StackError:
            said = self._rig.stack.log(name).read_text()
            assert f"database schema is {schema}, this build needs {LOWEST_SCHEMA}: run sorami migrate" in said, said
            self.steps.append(f"new {name} refused schema {schema} in one line")
        else:
            raise AssertionError(f"{name} runs on schema {schema}, and needs {LOWEST_SCHEMA}")

    def _migrate(self) -> None:
        env = {**self._rig.stack.env, "PYTHONPATH": str(HERE)}
        argv = [sys.executable, "-m", "services.persistence.migrate"]
        done = subprocess.run(argv, env=env, cwd=HERE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    async def _each(self, tree: Path | None, words: str) -> None:
        services = sorted(LINKS)
        self._load.random.shuffle(services)
        for service in services:
            for name in (service, service + SECOND) if service == "gateway" else (service,):
                await self._replace(name, tree)
            await self._step(f"{service} {words}")

    async def _replace(self, name: str, tree: Path | None) -> None:
        self._rig.give_code(name, tree)
        if name.startswith("gateway"):
            self._load.urls = self._gateways[:1] if name.endswith(SECOND) else self._gateways[1:]
            # What went to it a moment ago is answered.
            await asyncio.sleep(0.3)
        await self._rig.restart(name)
        self._load.urls = self._gateways


async def check(report: Report, seed: int, base: str) -> None:
    """Play an upgrade from a commit to the code here, and have it judged."""
    tree = report.folder / "base"
    _check_out(base, tree)
    rig = Rig(report.folder / "rig", code=tree)
    async with rig.running():
        load = Load(rig, "upgrade", seed)
        judge = Judge(rig, load)
        began = time.monotonic()
        await load.begin()
        upgrade = Upgrade(rig, load, tree)
        failed: list[tuple[str, str]] = []
        try:
            await upgrade.play()
        except Exception as error:
            failed.append(("upgrade", f"{type(error).__name__}: {error}"))
            await rig.mend()
        await load.rest()
        verdict = await judge.verdict()
        await load.end()
        violations = failed + verdict.violations
        entry = Entry("upgrade", "issue 9, upgrades", seed, f"from {base}, and back", "red" if violations else "green")
        entry.seconds = time.monotonic() - began
        entry.violations, entry.figures = violations, verdict.figures | {"steps": upgrade.steps}
        report.add(entry)
        print(f"  {entry.outcome}: {entry.figures}", flush=True)
        for name, found in violations[:20]:
            print(f"    {name}: {found}", flush=True)
        rig.is_kept = bool(violations)


def _check_out(commit: str, folder: Path) -> None:
    archive = subprocess.run(["git", "archive", commit], cwd=HERE, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(f"BASE={commit}: {archive.stderr.decode().strip()}")
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
