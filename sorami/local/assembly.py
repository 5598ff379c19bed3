"""Everything one data folder runs: servers, fork server, services, in their order, up and down again."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sorami.local import children, environment, given, health, identity, ports, secrets, state
from sorami.local.disk import ask_for_room
from sorami.local.errors import EX_CONFIG, EX_TEMPFAIL, SettingError, StackError, first_of
from sorami.local.forks import Forks, FreshPythons, can_fork
from sorami.local.home import Home, Lock, holder
from sorami.local.kafka import Kafka
from sorami.local.postgres import Postgres
from sorami.local.seaweed import PORTS as OBJECT_PORTS
from sorami.local.seaweed import Seaweed
from sorami.local.services import GATEWAY, SERVICES, Commands, Service
from sorami.local.state import State
from sorami.local.supervisor import Child, Phase, Program

# Where `services`, `contracts` and `sorami` are imported from, so that every child finds the same ones.
SOURCES = Path(__file__).resolve().parents[2]
SERVERS = ("postgres", "kafka", "s3")
COMMAND_TRIES = 8


class Assembly:
    """The parts of one stack; used from one event loop."""

    def __init__(
        self,
        home: Home,
        settings: Mapping[str, str],
        *,
        project: Path,
        servers: Sequence[str] = SERVERS,
        services: Sequence[Service] = SERVICES,
        commands: Commands | None = None,
    ) -> None:
        self.home = home
        self._settings = settings
        self._project = project
        self._servers = servers
        self._services = services
        self._commands = commands or Commands()
        self._lock = Lock(home.lock)
        self.state = State(home.state)
        self.children: dict[str, Child] = {}
        self.env: dict[str, str] = {}
        self.postgres: Postgres | None = None
        self._forks: Forks | FreshPythons | None = None

    def claim(self) -> None:
        """Makes the folder this stack's own and declares its children; nothing is started yet."""
        self._take()
        self._arrange()

    async def start(self) -> None:
        """Brings everything up; raises with the first reason why it cannot."""
        if not self._lock.held:
            self.claim()
        # The broker takes longest, so it goes first.
        for name in ("kafka", "postgres", "s3", "forkserver"):
            if name in self.children:
                self.children[name].start()
        self.state.write()
        try:
            async with asyncio.TaskGroup() as group:
                issuer = group.create_task(asyncio.to_thread(self.introduce))
                migrated = group.create_task(self._database_side())
                topics = group.create_task(self._broker_side())
                objects = group.create_task(self._server("s3"))
                group.create_task(self._server("forkserver"))
                for service in (one for one in self._services if not one.is_spare):
                    needs = [issuer, migrated]
                    needs += [topics] if service.needs_broker else []
                    needs += [objects] if service.needs_objects else []
                    group.create_task(self._service(service, needs))
        except BaseExceptionGroup as errors:
            # Not `except*`: before Python 3.11.4 it wraps what is raised in it.
            known = errors.subgroup(StackError)
            if known is None:
                raise
            raise first_of(known) from None
        self.state.settle("ready")

    async def stop(self) -> None:
        """Services first, then the broker and the object store, then the database; nothing is left behind."""
        if not self._lock.held:
            return
        self.state.settle("stopping")
        services = [service.name for service in self._services]
        for names in (services, ["forkserver"], ["kafka", "s3"], ["postgres"]):
            await asyncio.gather(*(self.children[name].stop() for name in names if name in self.children))
        self.state.settle("stopped")
        self._lock.release()

    def fail(self, reason: str) -> None:
        """Left in the state file for `sorami up`, which waits for this stack in another process."""
        if self._lock.held:
            self.state.settle("failed", reason)

    def _take(self) -> None:
        self.home.make()
        if not self._lock.take():
            who = holder(self.home.lock)
            raise StackError(f"a stack already runs on {self.home.root} (pid {who}); stop it with: make down")
        children.end_leftovers(state.leftovers(self.home.state))

    def _arrange(self) -> None:
        """Decides what is embedded, picks ports, and declares every child."""
        own = secrets.load_or_make(self.home)
        asked = given.read(self.home, self._settings, self._project)
        embedded = {"postgres": not asked.database, "kafka": not asked.broker, "s3": not asked.objects}
        embedded = {name: wanted and name in self._servers for name, wanted in embedded.items()}
        ask_for_room(self.home.root, objects=embedded["s3"])
        numbers = ports.assign(self.home, self._wanted_ports(embedded, asked.settings))
        if embedded["postgres"]:
            self.postgres = Postgres(self.home, own, numbers["postgres"])
        kafka = seaweed = None
        if embedded["kafka"]:
            pair = (numbers["kafka"], numbers["kafka-controller"])
            kafka = Kafka(self.home, own, pair, asked.settings, self.state.download)
        if embedded["s3"]:
            bucket = asked.settings.get("S3_BUCKET") or environment.BUCKET
            seaweed = Seaweed(self.home, own, numbers, bucket)
        settings = {name: port for name, port in numbers.items() if name.isupper()}
        self.env = environment.build(self.home, asked, own, settings, self.postgres, kafka, seaweed)
        self.env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SOURCES), self.env.get("PYTHONPATH")]))
        given.remember_own(self.home, {name: self.env[name] for name in given.ADDRESSES if name in self.env})
        if kafka is not None:
            # At each start of the broker, so that one whose data were put back to an older copy has them too.
            self._declare(replace(kafka.program(), on_ready=self._make_topics))
        for server in (self.postgres, seaweed):
            if server is not None:
                self._declare(server.program())
        self._declare_services()

    def _wanted_ports(self, embedded: Mapping[str, bool], settings: Mapping[str, str]) -> list[str]:
        wanted = ["postgres"] if embedded["postgres"] else []
        wanted += ["kafka", "kafka-controller"] if embedded["kafka"] else []
        wanted += OBJECT_PORTS if embedded["s3"] else []
        for service in self._services:
            if service is GATEWAY and settings.get(service.port_setting) != "0":
                _check_gateway_port(settings)
            elif settings.get(service.port_setting, "0") == "0":
                wanted.append(service.port_setting)
            inside = service.internal_port_setting
            if inside and settings.get(inside, "0") == "0":
                wanted.append(inside)
        return wanted

    def _declare(self, program: Program) -> None:
        self.children[program.name] = Child(program, self.state.write)
        self.state.children = list(self.children.values())

    def _declare_services(self) -> None:
        if not self._services:
            return
        log = self.home.log("forkserver")
        if can_fork():
            self._forks = Forks(log, self.env)
            self._declare(self._forks.program())
        else:
            self._forks = FreshPythons()
        for service in self._services:
            self._declare(self._program(service, self._forks))

    def _program(self, service: Service, forks: Forks | FreshPythons) -> Program:
        port = int(self.env[service.port_setting])
        host = environment.reachable(self.env.get(service.host_setting, ""))
        log = self.home.log(service.name)
        return Program(
            name=service.name,
            role="service",
            launch=lambda: forks.start(service.name, service.entry, [], self.env, log, service.stage),
            check=lambda: health.is_ready(port, service.health, host),
            log=log,
            address=f"http://{host}:{port}",
            port=port,
            stop_within=25.0,
        )

    def introduce(self) -> None:
        """The issuer's key before any service asks for it, and the shell's file with a fresh token."""
        identity.make(self.home)
        environment.write_exports(self.home, self.env, identity.token(self.home), self.postgres is not None)

    async def _database_side(self) -> None:
        await self._server("postgres")
        if self._services and self._commands.migrate:
            await self._command("migrate", self._commands.migrate, [[]], "database")

    async def _broker_side(self) -> None:
        await self._server("kafka")
        if "kafka" not in self.children:
            await self._make_topics()

    async def _server(self, name: str) -> None:
        """Nothing to wait for when it is given, or not wanted."""
        if child := self.children.get(name):
            await child.ready()

    async def _make_topics(self) -> None:
        if self._services and self._commands.topics:
            await self._command("topics", self._commands.topics, [], "broker")

    async def _service(self, service: Service, needs: Sequence["asyncio.Task[Any]"]) -> None:
        await asyncio.gather(*(asyncio.shield(need) for need in needs))
        child = self.children[service.name]
        child.start()
        await child.ready()

    async def _command(self, name: str, entry: str, arguments: list[Any], stage: str) -> None:
        """A command that cannot reach its server yet (75), or whose fork server died, is tried again."""
        if self._forks is None:
            return
        log = self.home.log(name)
        code = 0
        for attempt in range(COMMAND_TRIES):
            code = await self._forks.complete(name, entry, arguments, self.env, log, stage)
            if code == 0:
                return
            if code > 0 and code != EX_TEMPFAIL:
                break
            await asyncio.sleep(min(0.2 * 2**attempt, 5.0))
        words = f"{name} failed with code {code}: {children.last_line(log)} (log: {log})"
        raise SettingError(words) if code == EX_CONFIG else StackError(words)

    def failed(self) -> str | None:
        """Why a child will not be started again, should there be one."""
        return next((child.reason for child in self.children.values() if child.phase is Phase.FAILED), None)


def _check_gateway_port(settings: Mapping[str, str]) -> None:
    text = settings.get("SORAMI_PORT") or str(environment.GATEWAY_PORT)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingError(f"SORAMI_PORT is {text!r}: it must be a port number from 1 to 65535")
    host = settings.get("SORAMI_HOST") or "127.0.0.1"
    if not ports.is_free(int(text), host):
        other = next(number for number in range(int(text) % 60000 + 1, 65536) if ports.is_free(number, host))
        raise SettingError(
            f"port {text} (gateway) is taken by another program: choose one with SORAMI_PORT, "
            f"for example: SORAMI_PORT={other} make run"
        )
