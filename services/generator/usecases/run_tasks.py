"""Run leased tasks in this process's slots: claim, keep the leases, render, give back what cannot be finished."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from services.generator.queries import not_held
from services.generator.store.tasks import Claim, claim, claim_overdue, extend_leases, release
from services.generator.usecases.reporter import FenceLost, GiveBack
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger
from services.runtime.objects import ObjectClash, ObjectsUnavailable
from services.runtime.tracing import span

LOOK_EVERY = 2.0
"""Seconds between looks for due and abandoned tasks when nothing wakes us."""

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


class RunTasks:
    """The scheduler of one process; `slots` says how many tasks of each provider run at once.

    `allowed` says how many tasks of a provider may start now, None for no bound.
    Tasks of the `paid` providers get longer to end when the process stops: a submit whose answer nobody hears is money.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        slots: Mapping[str, int],
        worker: str,
        lease_seconds: float,
        paid: Collection[str] = (),
        allowed: Callable[[str], int | None] = lambda _: None,
    ) -> None:
        self._pool = pool
        self._slots = slots
        self._paid = frozenset(paid)
        self._allowed = allowed
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._render: Work | None = None
        self._running: dict[str, tuple[Claim, asyncio.Task[None]]] = {}
        self._used: Counter[str] = Counter()
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
        look_for_expired = True
        while not self._stopping:
            try:
                full = await self._claim_once(expired=look_for_expired)
                if look_for_expired:
                    full = await self._claim_once(expired=False) or full
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("tasks cannot be claimed now", error=type(error).__name__)
                full = True
            look_for_expired = False
            if full:
                # Every slot is taken, or the database is away: a finished task or the next look goes on.
                self._wake.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                look_for_expired = True
            self._wake.clear()

    async def _claim_once(self, *, expired: bool) -> bool:
        free = {name: left for name in self._slots if (left := self._free(name)) > 0}
        if not free or self._stopping:
            return True
        claims = await claim(self._pool, free, worker=self._worker, lease_seconds=self._lease_seconds, expired=expired)
        self._start(claims)
        return False

    def _free(self, provider: str) -> int:
        """Return the tasks of a provider that may start now: those that fit, and no more than it is allowed."""
        fit = self._slots[provider] - self._used[provider]
        allowed = self._allowed(provider)
        return fit if allowed is None else min(fit, allowed)

    def _start(self, claims: Sequence[Claim]) -> None:
        if self._render is None:
            raise RuntimeError("name the use case by `use` first")
        for one in claims:
            self.take(one, self._render)

    def take(self, one: Claim, work: Work) -> None:
        """Do work under a lease that this process has, whether or not a slot is free."""
        self._used[one.provider] += 1
        task = asyncio.create_task(self._run_one(one, work))
        self._running[one.job_id] = (one, task)

    async def _run_one(self, one: Claim, work: Work) -> None:
        log = _log.bind(job_id=one.job_id, fence=one.fence)
        back: GiveBack | None = None
        try:
            told = {"sorami.key": one.job_id, "sorami.provider": one.provider}
            with span(f"work on {one.kind}", one.traceparent, attributes=told):
                back = await work(one)
        except FenceLost:
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
            self._used[one.provider] -= 1
            if self._running.get(one.job_id, (None,))[0] is one:
                del self._running[one.job_id]
            self._wake.set()
        if back is not None:
            await self._give_back(one, back)

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
