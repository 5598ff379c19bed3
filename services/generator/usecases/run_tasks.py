"""Run leased tasks in this process's slots: claim, keep the leases, render, give back what cannot be finished."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from contracts.sharing import EQUAL_SHARES, Shares
from services.generator.metrics import CLAIMS, FENCES_LOST, WORK_SECONDS, measure_slots
from services.generator.queries import not_held
from services.generator.store.leases import (
    Claim,
    claim,
    claim_expired,
    claim_overdue,
    extend_leases,
    next_resting,
    release,
)
from services.generator.usecases.reporter import FenceLost, GiveBack
from services.runtime.database import Pool, is_transient
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger
from services.runtime.objects import ObjectClash, ObjectsUnavailable
from services.runtime.tracing import span

LOOK_EVERY = 2.0
"""Seconds between looks for queued and abandoned tasks when nothing wakes us and nothing is due sooner."""
MOST_AT_ONCE = 16
"""Turns of a provider handed out in one claim: others wait for it."""

LOOK_FOR_OVERDUE_EVERY = 1.0
"""Seconds between looks for waiting tasks whose deadline passed; they need no slot."""
MOST_OVERDUE = 100
LOOK_FOR_CALLED_OFF_EVERY = 0.5
"""Seconds after which work that another process called off is noticed here; nothing is asked while nothing runs."""

SHORT_WORK_SECONDS = 3.0
PAID_WORK_SECONDS = 12.0

_log = get_logger(part="tasks")

Work = Callable[[Claim], Awaitable[GiveBack | None]]
"""What is done under a lease."""


def no_bound(_provider: str) -> int | None:
    """Every provider may be given as many tasks as there are slots."""
    return None


class RunTasks:
    """The scheduler of one process; `slots` says how many tasks of each provider run at once.

    Whose turn it is within `shares` is the database's to say, so that all processes agree. `allowed` is the most tasks
    of a provider that may start now, None for no bound. Tasks of the `paid` providers get longer to end when the
    process stops: a submit whose answer nobody hears is money.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        slots: Mapping[str, int],
        worker: str,
        lease_seconds: float,
        paid: Collection[str] = (),
        shares: Shares = EQUAL_SHARES,
        allowed: Callable[[str], int | None] = no_bound,
    ) -> None:
        self._pool = pool
        self._shares = shares
        self._allowed = allowed
        self._slots = slots
        self._paid = frozenset(paid)
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._render: Work | None = None
        self._running: dict[str, tuple[Claim, asyncio.Task[None]]] = {}
        self._used: Counter[str] = Counter()
        self._held: set[tuple[str, int]] = set()
        self._wake = asyncio.Event()
        self._stopping = False

    def use(self, render: Work) -> None:
        """Name the use case that a claimed task is given to."""
        self._render = render

    def wake(self) -> None:
        """Look for tasks now."""
        self._wake.set()

    @property
    def running(self) -> int:
        return len(self._running)

    def measure(self) -> None:
        """Bring the gauges of the slots up to date."""
        measure_slots(self._slots, self._used)

    async def run(self) -> None:
        """Claim and run tasks until cancelled or stopped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_leases())
            group.create_task(self._claim_forever())
            group.create_task(self._every(LOOK_FOR_OVERDUE_EVERY, self.end_overdue))
            group.create_task(self._every(LOOK_FOR_CALLED_OFF_EVERY, self._notice_called_off))

    async def _every(self, seconds: float, look: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping:
            await asyncio.sleep(seconds)
            try:
                await look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("a look at the tasks is put off", error=type(error).__name__)

    async def end_overdue(self) -> None:
        """End waiting tasks whose deadline passed, a bounded number at a time."""
        claims = await claim_overdue(
            self._pool,
            list(self._slots),
            most=MOST_OVERDUE,
            worker=self._worker,
            lease_seconds=self._lease_seconds,
        )
        self._start(claims)

    async def _notice_called_off(self) -> None:
        held = {job_id: one.fence for job_id, (one, _) in self._running.items()}
        if held:
            self.call_off(await not_held(self._pool, held), fences=held)

    async def _claim_forever(self) -> None:
        look_at = 0.0
        while not self._stopping:
            self._wake.clear()
            pause = LOOK_EVERY
            try:
                if time.monotonic() >= look_at:
                    await self._claim_expired()
                    look_at = time.monotonic() + LOOK_EVERY
                pause = await self._claim_turns()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("tasks cannot be claimed now", error=type(error).__name__)
                # Tasks that end meanwhile would have us ask a database that is away without a pause.
                self._wake.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _claim_expired(self) -> None:
        if free := self._free():
            self._start(await claim_expired(self._pool, free, worker=self._worker, lease_seconds=self._lease_seconds))

    async def _claim_turns(self) -> float:
        """Claim as far as there are slots and turns, and return the seconds until the next look."""
        while free := self._free():
            claims = await claim(
                self._pool, free, worker=self._worker, lease_seconds=self._lease_seconds, shares=self._shares
            )
            self._start(claims)
            given = Counter(one.provider for one in claims)
            # Who is bounded gets one handful at a look: how the first of it fare is not known yet.
            if not any(given[name] == most and self._allowed(name) is None for name, most in free.items()):
                seconds = await next_resting(self._pool, list(free))
                return LOOK_EVERY if seconds is None else min(max(seconds, 0.01), LOOK_EVERY)
        return LOOK_EVERY  # a task that ends wakes us

    def _free(self) -> dict[str, int]:
        """Return how many tasks of each provider are claimed next; providers without room are left out."""
        if self._stopping:
            return {}
        rooms = {name: min(most - self._used[name], MOST_AT_ONCE) for name, most in self._slots.items()}
        bounds = {name: self._allowed(name) for name, room in rooms.items() if room > 0}
        free = {name: rooms[name] if bound is None else min(rooms[name], bound) for name, bound in bounds.items()}
        return {name: room for name, room in free.items() if room > 0}

    def _start(self, claims: Sequence[Claim]) -> None:
        if self._render is None:
            raise RuntimeError("name the use case by `use` first")
        if claims:
            reach("gen.after_claim")
        for one in claims:
            self.take(one, self._render)

    def take(self, one: Claim, work: Work) -> None:
        """Do work under a lease that this process has, whether or not a slot is free."""
        CLAIMS.labels(one.provider, one.kind).inc()
        self._used[one.provider] += 1
        self._held.add((one.job_id, one.fence))
        task = asyncio.create_task(self._run_one(one, work))
        self._running[one.job_id] = (one, task)
        # A task that is called off before its first step runs none of its own endings.
        task.add_done_callback(lambda _: self._free_slot(one))

    def _free_slot(self, one: Claim) -> None:
        """Note the end of work, once."""
        if (one.job_id, one.fence) not in self._held:
            return
        self._held.remove((one.job_id, one.fence))
        self._used[one.provider] -= 1
        if self._running.get(one.job_id, (None,))[0] is one:
            del self._running[one.job_id]
        self._wake.set()

    async def _run_one(self, one: Claim, work: Work) -> None:
        log = _log.bind(job_id=one.job_id, fence=one.fence)
        back: GiveBack | None = None
        began = time.perf_counter()
        try:
            told = {"sorami.key": one.job_id, "sorami.provider": one.provider}
            with span(f"work on {one.kind}", one.traceparent, attributes=told):
                back = await work(one)
        except FenceLost:
            FENCES_LOST.labels(one.provider).inc()
            log.warning("the lease was lost; the work is dropped")
        except asyncio.CancelledError:
            if self._stopping:
                back = GiveBack(after_seconds=0, forgive_attempt=True)
        except (ObjectsUnavailable, ObjectClash) as error:
            log.warning("the media could not be stored; the task is tried again", error=type(error).__name__)
            back = GiveBack(after_seconds=2, forgive_attempt=isinstance(error, ObjectsUnavailable))
        except Exception as error:
            if not is_transient(error):
                log.exception("a task failed unexpectedly and is tried again")
            back = GiveBack(after_seconds=2, forgive_attempt=is_transient(error))
        finally:
            self._free_slot(one)
            WORK_SECONDS.labels(one.provider, one.kind).observe(time.perf_counter() - began)
        if back is not None:
            await self._give_back(one, back)
            # Its due time may be the next.
            self._wake.set()

    async def _give_back(self, one: Claim, back: GiveBack) -> None:
        try:
            await release(self._pool, one, after_seconds=back.after_seconds, forgive_attempt=back.forgive_attempt)
        except Exception as error:
            if not is_transient(error):
                raise
            # The lease runs out by itself.
            _log.warning("a task cannot be given back now", job_id=one.job_id, error=type(error).__name__)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            held = {job_id: one.fence for job_id, (one, _) in self._running.items()}
            if not held:
                continue
            try:
                kept = await extend_leases(self._pool, held, self._lease_seconds)
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("leases cannot be extended now", error=type(error).__name__)
                continue
            self.call_off([job_id for job_id in held if job_id not in kept], fences=held)

    def call_off(self, job_ids: Sequence[str], fences: Mapping[str, int] | None = None) -> None:
        """Stop work on jobs that ended or are another's now."""
        for job_id in job_ids:
            found = self._running.get(job_id)
            if found is None or (fences is not None and found[0].fence != fences[job_id]):
                continue
            _log.info("work is called off", job_id=job_id)
            found[1].cancel()

    async def stop(self) -> None:
        """Claim nothing more, give short work a moment to end, and hand the rest back."""
        self._stopping = True
        self._wake.set()
        free, paid = self._at_work()
        if free:
            await asyncio.wait(free, timeout=SHORT_WORK_SECONDS)
            for task in free:
                task.cancel()
        if paid:
            await asyncio.wait(paid, timeout=PAID_WORK_SECONDS)
            for task in paid:
                task.cancel()
        unfinished = [task for task in (*free, *paid) if not task.done()]
        if unfinished:
            await asyncio.wait(unfinished, timeout=5)

    def _at_work(self) -> tuple[list["asyncio.Task[None]"], list["asyncio.Task[None]"]]:
        """Return what runs here, and what runs of it at providers that are paid."""
        running = list(self._running.values())
        free = [task for one, task in running if one.provider not in self._paid]
        return free, [task for one, task in running if one.provider in self._paid]
