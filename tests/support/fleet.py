"""Two processes of each service behind balancers, replaced one by one as Kubernetes does it.

A new process comes first and takes traffic when it is ready; the old one is told to stop, and the balancer goes on
leading connections to it for a moment, because endpoints learn of its end later than it does.
"""

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.ports import free_ports

FORGET_AFTER = 1.0
"""Seconds that a balancer goes on leading new connections to a process that was told to stop."""
KILLED_AFTER = 45.0
"""What the chart gives a pod (`terminationGracePeriodSeconds`)."""
PORTS = {
    "gateway": ("SORAMI_PORT", "SORAMI_GATEWAY_INTERNAL_PORT"),
    "notifier": ("SORAMI_NOTIFIER_PORT", "SORAMI_NOTIFIER_INTERNAL_PORT"),
    "generator": ("SORAMI_GENERATOR_PORT",),
    "persistence": ("SORAMI_PERSISTENCE_PORT",),
}
"""The first of each is what is probed."""


class Balancer:
    """Leads each new connection to the next process; whoever is connected stays where they are."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.lost = 0
        self._turns = itertools.count()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen, and return the address."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self.ports[next(self._turns) % len(self.ports)]
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self.lost += 1
            writer.close()
            return
        await asyncio.gather(_copy(reader, to_writer), _copy(to_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@dataclass(frozen=True)
class Member:
    """One process of a service."""

    process: asyncio.subprocess.Process
    port: int
    name: str


class Fleet:
    """The four services over somebody's servers, each by two processes."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env = {**os.environ, **env}
        self._folder = folder
        self._members: dict[str, list[Member]] = {service: [] for service in PORTS}
        self._balancers = {"gateway": Balancer(), "notifier": Balancer()}
        self._started = itertools.count(1)
        self.url = self.notifier_url = ""
        self.exit_codes: dict[str, int] = {}

    async def __aenter__(self) -> "Fleet":
        self.url = await self._balancers["gateway"].start()
        self.notifier_url = await self._balancers["notifier"].start()
        self._env |= {"SORAMI_PUBLIC_URL": self.url, "SORAMI_NOTIFIER_URL": self.notifier_url}
        self._env["SORAMI_ALLOW_HOSTS"] = self.notifier_url.removeprefix("http://")
        for command in ("services.persistence.migrate", "services.persistence.topics"):
            assert await (await self._run(command, {}, command)).wait() == 0, command
        await asyncio.gather(*(self._add(service) for service in PORTS for _ in range(2)))
        return self

    async def __aexit__(self, *ended: object) -> None:
        for member in (member for members in self._members.values() for member in members):
            with contextlib.suppress(ProcessLookupError):
                member.process.terminate()
            await member.process.wait()
        for balancer in self._balancers.values():
            await balancer.stop()

    @property
    def lost_connections(self) -> int:
        """Count the connections that were led to a process which listened no more."""
        return sum(balancer.lost for balancer in self._balancers.values())

    def log(self) -> str:
        """Return what all processes said, the last lines of each."""
        return "\n".join(f"== {path.stem}\n{path.read_text()[-1500:]}" for path in sorted(self._folder.glob("*.log")))

    async def replace(self, service: str) -> list[float]:
        """Replace its processes one by one and return how many seconds each took to stop."""
        seconds = []
        for old in list(self._members[service]):
            await self._add(service)
            seconds.append(await self._end(service, old))
        return seconds

    async def _add(self, service: str) -> None:
        ports = free_ports(len(PORTS[service]))
        name = f"{service}-{next(self._started)}"
        own = {setting: str(port) for setting, port in zip(PORTS[service], ports, strict=True)}
        process = await self._run(f"services.{service}", own, name)
        member = Member(process, ports[0], name)
        self._members[service].append(member)
        await self._until_ready(member)
        if service in self._balancers:
            self._balancers[service].ports.append(member.port)

    async def _run(self, module: str, own: Mapping[str, str], name: str) -> asyncio.subprocess.Process:
        with (self._folder / f"{name}.log").open("wb") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, env={**self._env, **own}, stdout=log, stderr=log
            )

    async def _until_ready(self, member: Member) -> None:
        async with asyncio.timeout(120), httpx.AsyncClient(trust_env=False) as client:
            while True:
                assert member.process.returncode is None, self.log()
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"http://127.0.0.1:{member.port}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)

    async def _end(self, service: str, member: Member) -> float:
        began = time.monotonic()
        member.process.terminate()
        await asyncio.sleep(FORGET_AFTER)
        if service in self._balancers:
            self._balancers[service].ports.remove(member.port)
        async with asyncio.timeout(KILLED_AFTER - FORGET_AFTER):
            self.exit_codes[member.name] = await member.process.wait()
        self._members[service].remove(member)
        return time.monotonic() - began
