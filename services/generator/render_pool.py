"""Child processes that render: CPU work outside the event loop, with limits, kept warm, one order at a time each."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from contracts.failures import Failure, FailureCode
from services.generator.render_protocol import DONE, FAILED, MAX_LINE, PROGRESS, READY, REFUSED, line, parse

DEFAULT_RENDERER = "services.generator.providers.procedural.studio"
# A child is replaced after this many orders, so that what a library leaks stays bounded.
ORDERS_PER_CHILD = 500
# Nothing else of the parent's environment reaches a child.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """What one child may use: address space above its base, CPU and wall-clock seconds an order; 0 is no limit."""

    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 300
    wall_seconds: float = 420.0
    nice: int = 5

    def for_child(self) -> str:
        """The limits the child sets on itself, as its argument."""
        return json.dumps({"memory_bytes": self.memory_bytes, "cpu_seconds": self.cpu_seconds, "nice": self.nice})


def child_environment() -> dict[str, str]:
    """The child's whole environment: no credentials, this package importable, one thread for numpy."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {
        "PYTHONPATH": path,
        "PYTHONSAFEPATH": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # Arrays of some MB come from the heap and are reused, instead of being mapped and zeroed each time.
        "MALLOC_MMAP_THRESHOLD_": str(1 << 29),
        "MALLOC_TRIM_THRESHOLD_": str(1 << 29),
        "MALLOC_TOP_PAD_": str(1 << 24),
    }
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | own


class RenderFailed(Exception):
    """A child could not or would not render; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class PoolClosed(ConnectionError):
    """The process is stopping, which says nothing of the order: whoever takes the task over renders it."""


class ChildLost(Exception):
    """The child ended, or spoke nonsense, in the middle of a conversation."""


class _Child:
    """One render child and the conversation with it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        # Both are pipes: `start` asks for them.
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self.orders = 0
        self.retirement: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, renderer: str, limits: RenderLimits) -> "_Child":
        """Start a child in its own session: neither Ctrl-C nor a signal to the parent's group reaches it."""
        command = [sys.executable, "-m", "services.generator.render_child", renderer, limits.for_child()]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=child_environment(), start_new_session=True, limit=MAX_LINE
        )
        child = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                if READY not in await child.hear():
                    raise ChildLost("it did not say that it is ready")
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def usable(self) -> bool:
        return self._process.returncode is None and not self._stdout.at_eof()

    async def hear(self) -> dict[str, Any]:
        """The child's next message; ChildLost when there is none."""
        try:
            raw = await self._stdout.readline()
            if not raw.endswith(b"\n"):
                raise ChildLost("it ended")
            return parse(raw)
        except ValueError as error:
            raise ChildLost(f"it spoke nonsense: {error}") from error

    async def say(self, message: Mapping[str, Any]) -> None:
        try:
            self._stdin.write(line(dict(message)))
            await self._stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ChildLost("it ended") from error

    def kill(self) -> None:
        # Not Process.kill(): it would reap a child that has just died, and its exit code would be lost to asyncio.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def end(self) -> int:
        """Kill the child if it lives, reap it and close its pipes; its exit code, negative for a signal."""
        if self.retirement is not None:
            self.retirement.cancel()
        self.kill()
        self._stdin.close()
        code = await self._process.wait()
        # Reading to the end lets the transport close its descriptors.
        with suppress(ValueError, ConnectionResetError):
            while await self._stdout.read(MAX_LINE):
                pass
        with suppress(BrokenPipeError, ConnectionResetError):
            await self._stdin.wait_closed()
        return code


class RenderPool:
    """At most `children` render children, started when needed, kept warm for `idle_seconds`, replaced when they die.

    `orders_per_child` is 1 where what they read was made by strangers: a child that was taken over ends with its order.
    """

    def __init__(
        self,
        children: int = 2,
        limits: RenderLimits | None = None,
        *,
        idle_seconds: float = 180.0,
        renderer: str = DEFAULT_RENDERER,
        orders_per_child: int = ORDERS_PER_CHILD,
    ) -> None:
        self._limits = limits or RenderLimits()
        self._idle_seconds = idle_seconds
        self._renderer = renderer
        self._orders_per_child = orders_per_child
        self._children = children
        self._turns = asyncio.Semaphore(children)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._endings: set[asyncio.Task[int]] = set()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The processes of the children that live, busy ones first."""
        return [child.pid for child in (*self._busy, *self._idle)]

    @property
    def idle_and_usable(self) -> int:
        """How many children could take an order at once."""
        return sum(child.usable for child in self._idle)

    async def warm(self) -> None:
        """Start a child ahead of need, unless one is idle already."""
        async with self._turns:
            child = await self._take()
            self._give_back(child)

    async def render(
        self,
        work: Mapping[str, Any],
        on_progress: Callable[[float], None],
        *,
        wall_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Have one child render `work`; RenderFailed says why it could not. Cancelling kills the child.

        Raises PoolClosed when the pool is closed, also in the middle.
        """
        async with self._turns:
            child = await self._take()
            try:
                async with asyncio.timeout(wall_seconds or self._limits.wall_seconds or None):
                    answer = await self._converse(child, work, on_progress)
            except ChildLost:
                code = await self._discard(child)
                raise (PoolClosed() if self._closed else RenderFailed(self._loss(code))) from None
            except TimeoutError:
                await self._discard(child)
                raise RenderFailed(_failure(FailureCode.TIMEOUT, "Rendering took too long.")) from None
            except BaseException:
                await self._discard(child)
                raise
            return await self._settle(child, answer)

    async def close(self) -> None:
        """End every child, busy ones too, and wait until all are reaped."""
        self._closed = True
        for child in self._idle:
            self._dismiss(child)
        self._idle.clear()
        for child in self._busy:
            child.kill()
        # With every turn in hand, no order is left that still listens to its child.
        for _ in range(self._children):
            await self._turns.acquire()
        for _ in range(self._children):
            self._turns.release()
        await asyncio.gather(*self._endings)

    async def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.usable:
                break
            self._dismiss(child)
        else:
            child = await self._start()
        if self._closed:
            await self._discard(child)
            raise PoolClosed
        if child.retirement is not None:
            child.retirement.cancel()
        self._busy.add(child)
        return child

    async def _start(self) -> _Child:
        if self._closed:
            raise PoolClosed
        try:
            return await _Child.start(self._renderer, self._limits)
        except (ChildLost, TimeoutError, OSError) as error:
            words = _failure(FailureCode.INTERNAL, "The renderer could not start.", str(error))
            raise RenderFailed(words) from error

    @staticmethod
    async def _converse(child: _Child, work: Mapping[str, Any], on_progress: Callable[[float], None]) -> dict[str, Any]:
        child.orders += 1
        await child.say(work)
        while True:
            message = await child.hear()
            if PROGRESS not in message:
                return message
            on_progress(float(message[PROGRESS]))

    async def _settle(self, child: _Child, answer: dict[str, Any]) -> dict[str, Any]:
        if DONE in answer:
            self._give_back(child)
            done: dict[str, Any] = answer[DONE]
            return done
        if REFUSED in answer:
            self._give_back(child)
            refused = answer[REFUSED]
            raise RenderFailed(
                Failure.of(
                    FailureCode(refused["code"]),
                    refused["message"],
                    stage="generating",
                    reason=refused.get("reason"),
                )
            )
        # After an unexpected error (memory among them) the child's state is not to be trusted.
        await self._discard(child)
        words = str(answer.get(FAILED, ""))
        raise RenderFailed(_failure(FailureCode.INTERNAL, "The renderer failed.", words))

    def _give_back(self, child: _Child) -> None:
        self._busy.discard(child)
        if self._closed or child.orders >= self._orders_per_child:
            self._dismiss(child)
            return
        loop = asyncio.get_running_loop()
        child.retirement = loop.call_later(self._idle_seconds, self._retire, child)
        self._idle.append(child)

    def _retire(self, child: _Child) -> None:
        if child in self._idle:
            self._idle.remove(child)
            self._dismiss(child)

    def _dismiss(self, child: _Child) -> "asyncio.Task[int]":
        """Kill and reap in a task of its own: it is finished even when the order's task is cancelled again."""
        self._busy.discard(child)
        ending = asyncio.get_running_loop().create_task(child.end())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending

    async def _discard(self, child: _Child) -> int:
        return await asyncio.shield(self._dismiss(child))

    def _loss(self, code: int) -> Failure:
        if code == -signal.SIGXCPU:
            return _failure(FailureCode.TIMEOUT, "Rendering used too much processor time.")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _failure(FailureCode.INTERNAL, "The renderer stopped before it was done.", name)


def _failure(code: FailureCode, message: str, words: str | None = None) -> Failure:
    return Failure.of(code, message, stage="generating", provider_words=words or None)
