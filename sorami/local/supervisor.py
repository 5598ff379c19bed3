"""One supervised child: started, watched until it is ready, started again with back-off, stopped for certain."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from sorami.local import children
from sorami.local.children import Running
from sorami.local.errors import EX_CONFIG, StackError

STEADY_AFTER = 30.0
LONGEST_PAUSE = 8.0
TRIES_BEFORE_FIRST_READY = 3


class Phase(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    FAILED = "failed"


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Program:
    """What a child is: how it starts, how one knows that it is ready, how it is stopped."""

    name: str
    role: Literal["server", "service", "helper"]
    launch: Callable[[], Awaitable[Running]]
    check: Callable[[], Awaitable[bool]]
    log: Path
    address: str = ""
    port: int | None = None
    prepare: Callable[[], Awaitable[None]] = _nothing
    on_ready: Callable[[], Awaitable[None]] = _nothing
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 15.0
    start_within: float = 60.0
    look_every: float = 0.03


@dataclass
class Child:
    """The life of one program under supervision."""

    program: Program
    changed: Callable[[], None] = lambda: None
    phase: Phase = Phase.WAITING
    restarts: int = 0
    reason: str = ""
    since: float = 0.0
    birth: str | None = None
    running: Running | None = None
    _keeper: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _was_ready: bool = False
    _held: bool = False
    _slow: bool = False

    @property
    def pid(self) -> int | None:
        return self.running.pid if self.running else None

    def start(self) -> None:
        """Begins (again); a child that is already kept is left as it is."""
        if self._keeper is None or self._keeper.done():
            self._held = False
            self._was_ready = False
            self._set(Phase.STARTING)
            self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def ready(self, within: float | None = None) -> None:
        """Waits until it is ready; raises with its reason when it failed or was stopped."""
        async with asyncio.timeout(within):
            while self.phase is not Phase.READY:
                if self.phase in (Phase.FAILED, Phase.STOPPED):
                    raise StackError(self.reason or f"{self.program.name} is stopped")
                await self._news.wait()

    async def stop(self) -> None:
        """Asks it to end, then ends it; it stays stopped."""
        self._held = True
        keeper, running = self._keeper, self.running
        if running is not None:
            await self._end(running)
        if keeper is not None and not keeper.done():
            keeper.cancel()
            await asyncio.wait({keeper})
        if self.running is not None:
            await self._end(self.running)
            self.running = None
        self._set(Phase.STOPPED)

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """A crash: the signal is sent, its end is seen, and it is started again like after any crash."""
        running = self.running
        if running is None:
            raise StackError(f"{self.program.name} is not running")
        children.send(running.pid, how)
        if how is signal.SIGKILL:
            await running.wait()
            while self.running is running:
                await self._news.wait()

    async def _end(self, running: Running) -> None:
        children.send(running.pid, self.program.stop_signal)
        try:
            async with asyncio.timeout(self.program.stop_within):
                await running.wait()
        except TimeoutError:
            children.send(running.pid, signal.SIGKILL)
            await running.wait()

    async def _keep(self) -> None:
        pause = 0.0
        tries = 0
        try:
            await self.program.prepare()
            while not self._held:
                began = time.monotonic()
                tries += 1
                self.running = await self.program.launch()
                self.birth = children.born(self.running.pid)
                self._set(Phase.STARTING)
                code = await self._watch(self.running)
                self.running = None
                if self._held:
                    return
                steady = time.monotonic() - began > STEADY_AFTER
                pause = 0.1 if steady or not pause else min(pause * 2, LONGEST_PAUSE)
                self._judge(code, tries)
                self.restarts += 1
                self._set(Phase.RESTARTING, self._words(code))
                await asyncio.sleep(pause)
        except StackError as error:
            await self._give_up(str(error))
        except OSError as error:
            await self._give_up(f"{self.program.name} cannot start: {error}")

    async def _give_up(self, reason: str) -> None:
        if self.running is not None:
            await self._end(self.running)
            self.running = None
        self._set(Phase.FAILED, reason)

    def _judge(self, code: int, tries: int) -> None:
        """A wrong setting, or a first start that fails again and again, is told instead of tried for ever."""
        if code == EX_CONFIG:
            raise StackError(self._words(code), code=EX_CONFIG)
        if not self._was_ready and tries >= TRIES_BEFORE_FIRST_READY:
            raise StackError(self._words(code))

    def _words(self, code: int) -> str:
        if self._slow:
            slow = f"{self.program.name} was not ready within {self.program.start_within:.0f} s"
            return f"{slow}: {children.last_line(self.program.log)} (log: {self.program.log})"
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"{self.program.name} {how}: {children.last_line(self.program.log)} (log: {self.program.log})"

    async def _watch(self, running: Running) -> int:
        ended = asyncio.ensure_future(running.wait())
        try:
            await self._until_ready(ended, running)
            return await ended
        finally:
            ended.cancel()

    async def _until_ready(self, ended: "asyncio.Future[int]", running: Running) -> None:
        self._slow = False
        deadline = time.monotonic() + self.program.start_within
        while not ended.done():
            if await self.program.check():
                await self.program.on_ready()
                self._was_ready = True
                self._set(Phase.READY)
                return
            if time.monotonic() > deadline:
                self._slow = True
                children.send(running.pid, signal.SIGKILL)
                return
            await asyncio.wait({ended}, timeout=self.program.look_every)

    def _set(self, phase: Phase, reason: str = "") -> None:
        self.phase, self.reason, self.since = phase, reason, time.time()
        # Waiters look at the phase again; a fresh event stands for the next change.
        self._news.set()
        self._news = asyncio.Event()
        self.changed()
