"""Three real Kafka nodes on this machine: replication 3, two of them in sync for every write."""

import asyncio
import os
import signal
from pathlib import Path

from sorami.local import children, java, kafka_jars, kafka_probe
from sorami.local import kafka as local_kafka
from sorami.local.children import OwnProcess
from tests.support.ports import free_ports

COUNT = 3
CLUSTER = "c29yYW1pLWNoYW9zLXRocg"
READY_WITHIN = 120.0
# Of one node's properties, those that are others with three of them.
OF_THREE = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    # Three of them on one small machine: half a second without a word is no reason to elect anew.
    "broker.session.timeout.ms": "9000",
    "broker.heartbeat.interval.ms": "2000",
}


class Nodes:
    """The nodes by number, from 1; each may be killed, stopped and started."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._command: list[str] = []
        self._running: dict[int, OwnProcess] = {}
        numbers = range(1, COUNT + 1)
        self.ports = dict(zip(numbers, free_ports(COUNT), strict=True))
        self._controllers = dict(zip(numbers, free_ports(COUNT), strict=True))

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports.values())

    async def start_all(self) -> None:
        jars = await kafka_jars.ready(os.environ, lambda _done, _all: None)
        runtime = java.find(os.environ)
        self._command = local_kafka.command(runtime, jars, "kafka.Kafka")
        format_command = local_kafka.command(runtime, jars, "kafka.tools.StorageTool")
        for node in self.ports:
            folder = self._folder(node)
            folder.mkdir(parents=True)
            (folder / "server.properties").write_text(self._properties(node))
            argv = [*format_command, "format", "--cluster-id", CLUSTER, "--config", "server.properties"]
            code = await children.complete(argv, env=_environment(), log=folder / "node.log", cwd=folder)
            assert code == 0, children.last_line(folder / "node.log")
        await asyncio.gather(*(self.start(node) for node in self.ports))

    async def start(self, node: int) -> None:
        """Start a node and wait until it answers."""
        folder = self._folder(node)
        argv = [*self._command, "server.properties"]
        self._running[node] = children.start(argv, env=_environment(), log=folder / "node.log", cwd=folder)
        async with asyncio.timeout(READY_WITHIN):
            while not await kafka_probe.answers("127.0.0.1", self.ports[node]):
                await asyncio.sleep(0.2)

    async def end(self, node: int, how: signal.Signals = signal.SIGKILL) -> None:
        """Signal a node and see its end."""
        process = self._running.pop(node)
        children.send(process.pid, how)
        await process.wait()

    async def stop_all(self) -> None:
        for node in list(self._running):
            await self.end(node)

    def _folder(self, node: int) -> Path:
        return self._home / f"node-{node}"

    def _properties(self, node: int) -> str:
        voters = ",".join(f"{number}@127.0.0.1:{port}" for number, port in self._controllers.items())
        own = OF_THREE | {"node.id": str(node), "controller.quorum.voters": voters}
        text = local_kafka.PROPERTIES.format(port=self.ports[node], controller=self._controllers[node])
        pairs = (line.partition("=") for line in text.splitlines())
        return "".join(f"{name}={own.get(name, value)}\n" for name, _, value in pairs)


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
