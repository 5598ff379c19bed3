"""`sorami run`: everything up, a first image and a first video, links; then it stays until Ctrl-C or SIGTERM."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sorami.local.assembly import Assembly
from sorami.local.children import send
from sorami.local.errors import StackError, first_of
from sorami.local.home import Home

if TYPE_CHECKING:
    from sorami.local.welcome import Made
    from sorami.progress import Board

TOKEN_REFRESH = 6 * 3600.0


def run(*, demo: bool = True, quiet: bool = False, began: float | None = None) -> int:
    """The whole life of a stack in this process; answers the exit code."""
    home = Home.find(os.environ, Path.cwd())
    return asyncio.run(Run(home, demo=demo, quiet=quiet, began=began or time.monotonic()).live())


class Run:
    """One run: starts, shows, waits for the signal, stops."""

    def __init__(self, home: Home, *, demo: bool, quiet: bool, began: float) -> None:
        self._began = began
        self._assembly = Assembly(home, dict(os.environ), project=home.project)
        self._demo = demo
        self._quiet = quiet
        self._asked = asyncio.Event()

    async def live(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)
        work = asyncio.create_task(self._work())
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
        code = 0
        if work.done():
            code = self._report(work)
        else:
            work.cancel()
            await asyncio.wait({work})
            if not self._quiet:
                print("\nStopping …", flush=True)
        asked.cancel()
        await self._assembly.stop()
        return code

    def _on_signal(self) -> None:
        if self._asked.is_set():
            # Asked twice: no more patience.
            for child in self._assembly.children.values():
                if child.pid is not None:
                    send(child.pid, signal.SIGKILL)
        self._asked.set()

    def _report(self, work: "asyncio.Task[None]") -> int:
        error = work.exception()
        if error is None:
            return 0
        if not isinstance(error, StackError):
            raise error
        self._assembly.fail(str(error))
        print(f"sorami: {error}", file=sys.stderr, flush=True)
        return error.code

    async def _work(self) -> None:
        self._assembly.claim()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._assembly.start())
                if not self._quiet:
                    group.create_task(self._show())
        except BaseExceptionGroup as errors:
            # Not `except*`: before Python 3.11.4 it wraps what is raised in it.
            known = errors.subgroup(StackError)
            if known is None:
                raise
            raise first_of(known) from None
        while True:
            await asyncio.sleep(TOKEN_REFRESH)
            await asyncio.to_thread(self._assembly.introduce)

    async def _show(self) -> None:
        # Not before the servers are on their way: what shows them takes a while to import.
        from sorami.local import welcome
        from sorami.progress import board

        made = None
        with board() as shown:
            async with asyncio.TaskGroup() as group:
                group.create_task(welcome.show_steps(self._assembly.state, shown))
                if self._demo:
                    made = group.create_task(self._first_media(shown))
        welcome.print_links(self._assembly.home, self._assembly.env, made.result() if made else None)

    async def _first_media(self, shown: "Board") -> "Made":
        from sorami.local import welcome

        await self._assembly.children["gateway"].ready()
        return await welcome.first_media(self._assembly.home, self._assembly.env["SORAMI_URL"], shown, self._began)
