"""A stack under a program's control: what the tests start, crash, stop and start again.

    with Stack(tmp_path, servers=("postgres", "kafka"), services=()) as stack:
        connect(stack.env["DATABASE_URL"])
        stack.kill("kafka")        # SIGKILL; it is started again like after any crash
        stack.wait_ready("kafka")

The supervisor lives in a thread with its own event loop, so one stack serves tests of any loop. Inside a
coroutine use `async with` and the methods that begin with `a`.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sorami.local import identity, unprivileged
from sorami.local.assembly import SERVERS, Assembly
from sorami.local.errors import StackError
from sorami.local.home import Home
from sorami.local.services import SERVICES, Commands, Service
from sorami.local.supervisor import Child, Phase

# A test must not be bent by what a developer's shell holds.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "JAVA_HOME", "VIRTUAL_ENV")
INHERITED_PREFIXES = (
    "SSL_",
    "REQUESTS_",
    "CURL_",
    "HTTP",
    "http",
    "NO_PROXY",
    "no_proxy",
    "PYTHON",
    "SORAMI_KAFKA_",
)


class Stack:
    """Servers and services of one data folder, started on entry and stopped on exit."""

    def __init__(
        self,
        home: Path,
        *,
        servers: Sequence[str] = SERVERS,
        services: Sequence[Service | str] = (),
        commands: Commands | None = None,
        settings: Mapping[str, str] | None = None,
        start_within: float = 120.0,
        discard: bool = False,
    ) -> None:
        """`discard` removes the data folder at the end, also what Postgres had to keep elsewhere for it."""
        self.home = Home(home)
        self._servers = servers
        self._services = [_service(service) for service in services]
        self._commands = commands
        self._settings = {**_inherited(), "ENVIRONMENT": "test", "SORAMI_PORT": "0", **(settings or {})}
        self._start_within = start_within
        self._discard = discard
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._assembly: Assembly | None = None

    @property
    def env(self) -> dict[str, str]:
        """The settings of its services: DATABASE_URL, KAFKA_BOOTSTRAP_SERVERS, S3_…, SORAMI_URL, …"""
        return dict(self._running.env)

    @property
    def names(self) -> tuple[str, ...]:
        """The processes it keeps; a server that is given is not among them."""
        return tuple(self._running.children)

    @property
    def _running(self) -> Assembly:
        if self._assembly is None:
            raise StackError("this stack is not started")
        return self._assembly

    def token(self, user: str = identity.USER, seconds: int = identity.TOKEN_SECONDS, **claims: Any) -> str:
        return identity.token(self.home, user, seconds, **claims)

    def pid(self, name: str) -> int:
        pid = self._child(name).pid
        if pid is None:
            raise StackError(f"{name} is not running")
        return pid

    def phase(self, name: str) -> Phase:
        return self._child(name).phase

    def restarts(self, name: str) -> int:
        return self._child(name).restarts

    def log(self, name: str) -> Path:
        return self.home.log(name)

    # Started and stopped as a whole.

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.up)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.down)

    def up(self) -> None:
        """Starts everything and returns when all of it is ready."""
        self.home.make()
        self._assembly = Assembly(
            self.home,
            self._settings,
            project=self.home.root,
            servers=self._servers,
            services=self._services,
            commands=self._commands,
        )
        self._loop = asyncio.new_event_loop()
        # Linux ends the children when the thread that made them ends: it lives as long as the stack.
        self._thread = threading.Thread(target=self._loop.run_forever, name="stack", daemon=True)
        self._thread.start()
        try:
            self._do(self._start(self._assembly))
        except BaseException:
            self.down()
            raise

    async def _start(self, assembly: Assembly) -> None:
        try:
            async with asyncio.timeout(self._start_within):
                await assembly.start()
        except TimeoutError:
            slow = [name for name, child in assembly.children.items() if child.phase is not Phase.READY]
            raise StackError(f"not ready within {self._start_within:.0f} s: {', '.join(slow)}") from None

    def down(self) -> None:
        """Stops everything; the data stay."""
        if self._loop is None or self._thread is None:
            return
        self._do(self._running.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None
        if self._discard:
            unprivileged.discard(self.home)

    # One part of it.

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """A crash: SIGKILL, its end seen. The supervisor starts it again; see `wait_ready`."""
        self._do(self._child(name).kill(how))

    def stop(self, name: str) -> None:
        """Stops it in order; it stays stopped until `start`."""
        self._do(self._child(name).stop())

    def start(self, name: str, within: float = 60.0) -> None:
        """Starts what was stopped and returns when it is ready."""
        self._do(self._begin(name, within))

    def freeze(self, name: str) -> None:
        """SIGSTOP: it holds its connections and answers nothing."""
        os.kill(self.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGCONT)

    def wait_ready(self, *names: str, within: float = 60.0) -> None:
        """Returns when these (or all) are ready."""
        self._do(self._until_ready(names, within))

    async def akill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        await self._ado(self._child(name).kill(how))

    async def astop(self, name: str) -> None:
        await self._ado(self._child(name).stop())

    async def astart(self, name: str, within: float = 60.0) -> None:
        await self._ado(self._begin(name, within))

    async def await_ready(self, *names: str, within: float = 60.0) -> None:
        await self._ado(self._until_ready(names, within))

    async def _begin(self, name: str, within: float) -> None:
        self._child(name).start()
        await self._child(name).ready(within)

    async def _until_ready(self, names: Sequence[str], within: float) -> None:
        for name in names or tuple(self._running.children):
            await self._child(name).ready(within)

    def _child(self, name: str) -> Child:
        try:
            return self._running.children[name]
        except KeyError:
            known = ", ".join(self._running.children)
            raise StackError(f"this stack has no {name!r}; it has {known}") from None

    def _submit(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        if self._loop is None:
            work.close()
            raise StackError("this stack is not started")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._submit(work).result()

    async def _ado(self, work: Coroutine[Any, Any, None]) -> None:
        await asyncio.wrap_future(self._submit(work))


def _service(service: Service | str) -> Service:
    if isinstance(service, Service):
        return service
    return next(known for known in SERVICES if known.name == service)


def _inherited() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
