"""The supervisor's side of the fork server: asks for processes and hears of their end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sorami.local import children
from sorami.local.children import OwnProcess, Running
from sorami.local.supervisor import Program

# The fork server writes each child's own words over its arguments: this leaves them room.
ROOM = "-" * 120


@dataclass
class Forked:
    """A process that the fork server made."""

    pid: int
    ended: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)


class Forks:
    """Runs entries (`module:function`) as processes: forked when the platform can, else by a fresh Python."""

    def __init__(self, log: Path, env: Mapping[str, str]) -> None:
        self._log = log
        self._env = dict(env)
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._asked: dict[int, asyncio.Future[Forked]] = {}
        self._forked: dict[int, Forked] = {}
        self._number = 0

    def program(self) -> Program:
        return Program(
            name="forkserver",
            role="helper",
            launch=self._launch,
            check=self._is_up,
            log=self._log,
            look_every=0.01,
        )

    async def start(
        self,
        name: str,
        entry: str,
        arguments: list[Any],
        env: Mapping[str, str],
        log: Path,
        stage: str = "all",
    ) -> Running:
        """Forks once the stage's libraries are loaded; waits for a fork server that is being restarted."""
        while True:
            await self._up.wait()
            try:
                return await self._ask(name, entry, arguments, env, log, stage)
            except ConnectionError:
                continue

    async def complete(
        self,
        name: str,
        entry: str,
        arguments: list[Any],
        env: Mapping[str, str],
        log: Path,
        stage: str = "all",
    ) -> int:
        """Runs a command to its end and answers its exit code."""
        running = await self.start(name, entry, arguments, env, log, stage)
        try:
            return await running.wait()
        except asyncio.CancelledError:
            children.send(running.pid, signal.SIGKILL)
            raise

    async def _ask(
        self, name: str, entry: str, arguments: list[Any], env: Mapping[str, str], log: Path, stage: str
    ) -> Forked:
        if self._writer is None:
            raise ConnectionError("the fork server is gone")
        self._number += 1
        number = self._number
        answer: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        request = {
            "id": number,
            "name": name,
            "entry": entry,
            "arguments": arguments,
            "env": dict(env),
            "log": str(log),
            "stage": stage,
        }
        self._writer.write(json.dumps(request).encode() + b"\n")
        try:
            return await answer
        except asyncio.CancelledError:
            # Asked for and no longer wanted: it ends as soon as it is there.
            self._asked[number] = _unwanted()
            raise

    async def _launch(self) -> OwnProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            process = children.start(
                [sys.executable, "-m", "sorami.local.forkserver", str(theirs.fileno()), ROOM],
                env=self._env,
                log=self._log,
                dies_by=signal.SIGTERM,
                pass_fds=[theirs.fileno()],
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        self._writer = writer
        self._reader = asyncio.create_task(self._listen(reader), name="listen to the fork server")
        return process

    async def _is_up(self) -> bool:
        return self._up.is_set()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self._hear(**json.loads(line))
        self._up.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the fork server ended"))
        self._asked.clear()
        for pid, forked in self._forked.items():
            # Linux ends them with their parent; elsewhere this does.
            children.send(pid, signal.SIGKILL)
            forked.ended.set_result(-signal.SIGKILL)
        self._forked.clear()

    def _hear(self, event: str, id: int = 0, pid: int = 0, code: int = 0) -> None:
        if event == "hello":
            self._up.set()
        elif event == "started":
            forked = self._forked[pid] = Forked(pid)
            answer = self._asked.pop(id)
            if not answer.done():
                answer.set_result(forked)
        elif event == "ended" and (over := self._forked.pop(pid, None)) is not None:
            over.ended.set_result(code)


def _unwanted() -> "asyncio.Future[Forked]":
    answer: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()

    def end(done: "asyncio.Future[Forked]") -> None:
        if not done.cancelled() and done.exception() is None:
            children.send(done.result().pid, signal.SIGKILL)

    answer.add_done_callback(end)
    return answer


class FreshPythons:
    """The same without a fork: every process is a new Python that imports for itself."""

    async def start(
        self,
        name: str,
        entry: str,
        arguments: list[Any],
        env: Mapping[str, str],
        log: Path,
        stage: str = "all",
    ) -> Running:
        argv = [sys.executable, "-m", "sorami.local.entry", entry, json.dumps(arguments)]
        return children.start(argv, env=env, log=log)

    async def complete(
        self,
        name: str,
        entry: str,
        arguments: list[Any],
        env: Mapping[str, str],
        log: Path,
        stage: str = "all",
    ) -> int:
        running = await self.start(name, entry, arguments, env, log, stage)
        return await running.wait()


def can_fork() -> bool:
    return hasattr(os, "fork") and sys.platform != "win32"
