"""The render child: takes orders on stdin one by one, reports on stdout, and ends when its parent does.

`python -m services.generator.render_child <renderer module> <limits as JSON>`; the module has
`render(work, report) -> dict`. It imports neither the contracts nor the other parts of the generator.
"""

import ctypes
import importlib
import json
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from services.generator.render_protocol import DONE, FAILED, PROGRESS, READY, REFUSED, Refused, line, parse

REPORT_EVERY_SECONDS = 0.1


class Renderer(Protocol):
    """What the child runs: a module with this function."""

    def render(self, work: dict[str, Any], report: Callable[[float], None]) -> dict[str, Any]: ...


def address_space() -> int:
    """How much address space this process has mapped; 0 where the system does not say."""
    try:
        statm = Path("/proc/self/statm").read_text(encoding="ascii")
        return int(statm.split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def limit(which: int, soft: int) -> None:
    """Lower the soft limit, never above the hard one."""
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def limit_memory(extra: int) -> None:
    """Let the process grow by `extra` bytes of address space from here; systems without /proc go without."""
    base = address_space()
    if base and extra:
        limit(resource.RLIMIT_AS, base + extra)


def limit_cpu(seconds: int) -> None:
    """Give the order at hand `seconds` of CPU time; beyond it the kernel ends the process (SIGXCPU)."""
    if seconds:
        limit(resource.RLIMIT_CPU, int(time.process_time()) + seconds + 1)


def give_back_memory() -> None:
    """Return freed heap pages to the system, so that an idle child stays small."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Reporter:
    """Writes messages to the parent; progress is monotone and at most ten times a second."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._last = 0.0
        self._at = 0.0

    def send(self, message: dict[str, Any]) -> None:
        try:
            os.write(self._fd, line(message))
        except BrokenPipeError:
            os._exit(0)

    def begin(self) -> None:
        self._last, self._at = 0.0, 0.0

    def progress(self, fraction: float) -> None:
        now = time.monotonic()
        if fraction > self._last and now - self._at >= REPORT_EVERY_SECONDS:
            self._last, self._at = min(fraction, 1.0), now
            self.send({PROGRESS: round(self._last, 4)})


def read_orders(orders: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Queue what the parent sends; when the pipe ends the process ends, even in the middle of an order."""
    for raw in sys.stdin.buffer:
        orders.put(parse(raw))
    os._exit(0)


def answer(renderer: Renderer, work: dict[str, Any], report: Reporter) -> dict[str, Any]:
    """Render one order and say how it went; no exception leaves."""
    try:
        return {DONE: renderer.render(work, report.progress)}
    except Refused as refusal:
        return {REFUSED: {"code": refusal.code, "message": str(refusal), "reason": refusal.reason}}
    except MemoryError:
        return {FAILED: "the picture needs more memory than a render child may use"}
    except Exception as error:
        return {FAILED: f"{type(error).__name__}: {error}"}


def main(argv: list[str]) -> int:
    """Serve orders until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A stray print of a library must not break into the protocol.
    report = Reporter(os.dup(1))
    os.dup2(2, 1)
    limits = json.loads(argv[2])
    os.nice(int(limits["nice"]))
    limit(resource.RLIMIT_CORE, 0)
    renderer = cast(Renderer, importlib.import_module(argv[1]))
    limit_memory(int(limits["memory_bytes"]))
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=read_orders, args=(orders,), daemon=True).start()
    report.send({READY: True})
    while True:
        work = orders.get()
        limit_cpu(int(limits["cpu_seconds"]))
        report.begin()
        report.send(answer(renderer, work, report))
        give_back_memory()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
