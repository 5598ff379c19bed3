"""The fork server: imports what all services share once, then forks each of them (one thread, no loop).

It is started by `forks.py` with one end of a socket pair, reads a JSON line a request and tells each child's end.
A service that is asked for early waits only for the libraries it needs: imports and requests take turns.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorami.local import children, entry

# In the order in which a start needs them. Never numpy, av or PIL: they start threads, which a fork does not copy.
PRELOAD: dict[str, tuple[str, ...]] = {
    "database": ("asyncio", "ssl", "uvloop", "asyncpg"),
    "web": (
        *("pydantic", "pydantic_settings", "structlog", "fastapi", "uvicorn", "uvicorn.protocols.http.httptools_impl"),
        *("uvicorn.lifespan.on", "jwt", "jwt.algorithms", "httpx", "aiokafka", "botocore.auth", "botocore.awsrequest"),
        *("contracts.events", "contracts.topics", "services.gateway.__main__"),
    ),
    "broker": ("aiokafka.admin", "faststream.kafka", "services.runtime.topic_admin", "services.runtime.consumer"),
    "all": ("aiohttp", "aioboto3"),
}
STAGES = tuple(PRELOAD)
STOP_WITHIN = 12.0


@dataclass(frozen=True)
class Request:
    """A process to fork: what it runs, with which environment, once which libraries are there."""

    id: int
    name: str
    entry: str
    arguments: list[Any]
    env: dict[str, str]
    log: str
    stage: str


class ForkServer:
    """Serves the requests of one supervisor until its end of the socket closes."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._control.setblocking(False)
        self._buffer = b""
        self._waiting: list[Request] = []
        self._loaded = -1
        self._pids: set[int] = set()
        self._open = True
        self._wake, wakeup = socket.socketpair()
        self._wakeup = wakeup
        for end in (self._wake, wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_stop(self, *_: object) -> None:
        self._open = False

    def serve(self) -> Request | None:
        """None at the end; in a forked child, what this process now is."""
        self._tell(event="hello")
        for module in self._imports():
            if not self._open:
                break
            _import(module)
            if (forked := self._turn(0)) is not None:
                return forked
        gc.collect()
        # What is loaded now is never collected again: collecting would copy every page that children share.
        gc.freeze()
        while self._open:
            if (forked := self._turn(None)) is not None:
                return forked
        self._end_children()
        return None

    def _imports(self) -> Iterator[str]:
        for number, stage in enumerate(STAGES):
            yield from PRELOAD[stage]
            self._loaded = number

    def _turn(self, timeout: float | None) -> Request | None:
        readable, _, _ = select.select([self._control, self._wake], [], [], 0 if self._due() else timeout)
        if self._wake in readable:
            with contextlib.suppress(BlockingIOError):
                self._wake.recv(4096)
        if self._control in readable:
            self._receive()
        self._reap()
        for request in self._due():
            self._waiting.remove(request)
            if self._fork(request):
                return request
        return None

    def _due(self) -> list[Request]:
        return [request for request in self._waiting if STAGES.index(request.stage) <= self._loaded]

    def _receive(self) -> None:
        try:
            data = self._control.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._open = False
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self._waiting.extend(Request(**json.loads(line)) for line in lines)

    def _fork(self, request: Request) -> bool:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(request, parent)
            return True
        self._pids.add(pid)
        self._tell(event="started", id=request.id, pid=pid)
        return False

    def _become(self, request: Request, parent: int) -> None:
        """In the child: nothing of the fork server's stays but what it has imported."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for end in (self._control, self._wake, self._wakeup):
            end.close()
        os.setsid()
        children.die_with(parent, signal.SIGKILL)
        log = children.open_log(Path(request.log))
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        os.close(log)
        os.environ.clear()
        os.environ.update(request.env)
        rename(request.name, f"{sys.executable} -m {request.entry.partition(':')[0].removesuffix('.__main__')}")

    def _reap(self) -> None:
        for pid in list(self._pids):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._pids.discard(pid)
                # What it started itself (a renderer) goes with it: each service leads a group of its own.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                self._tell(event="ended", pid=pid, code=os.waitstatus_to_exitcode(status))

    def _tell(self, **fields: object) -> None:
        if self._open:
            try:
                self._control.sendall(json.dumps(fields).encode() + b"\n")
            except OSError:
                self._open = False

    def _end_children(self) -> None:
        deadline = time.monotonic() + STOP_WITHIN
        for pid in self._pids:
            children.send(pid, signal.SIGTERM)
        while self._pids:
            left = deadline - time.monotonic()
            if left <= 0:
                for pid in self._pids:
                    children.send(pid, signal.SIGKILL)
            select.select([self._wake], [], [], max(0.05, left))
            with contextlib.suppress(BlockingIOError):
                self._wake.recv(4096)
            self._reap()


def _import(module: str) -> None:
    """What cannot be imported is simply not shared: the service that needs it says so in its own log."""
    try:
        importlib.import_module(module)
    except Exception as error:
        print(f"not shared: {module}: {error!r}", file=sys.stderr, flush=True)


def rename(name: str, title: str) -> None:
    """What `ps` and `pgrep` show for this process (Linux); elsewhere nothing changes."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.prctl(15, name.encode()[:15], 0, 0, 0)
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    room = end - start
    ctypes.memmove(start, title.encode()[: room - 1].ljust(room, b"\0"), room)


def main() -> int:
    forked = ForkServer(socket.socket(fileno=int(sys.argv[1]))).serve()
    if forked is None:
        return 0
    return entry.call(forked.entry, forked.arguments)


if __name__ == "__main__":
    sys.exit(main())
