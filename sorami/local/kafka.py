"""Apache Kafka itself, one node in KRaft mode on 127.0.0.1, as a child process."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from sorami.local import children, java, kafka_jars, kafka_probe
from sorami.local.children import OwnProcess
from sorami.local.errors import StackError
from sorami.local.home import Home
from sorami.local.java import Java
from sorami.local.kafka_jars import Progress
from sorami.local.secrets import Secrets
from sorami.local.supervisor import Program

LOG4J = Path(__file__).with_name("log4j2.xml")
JVM = (
    "-XX:+UseSerialGC",
    "-Xmx256m",
    # The quick compiler alone: a small machine gains more at the start than it loses at the peak.
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Djava.net.preferIPv4Stack=true",
    "-Dkafka.logs.dir=.",
)
# One node: every factor is 1. A static quorum, because the ports of this node may move between two starts.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=data
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=3000
num.network.threads=2
num.io.threads=4
background.threads=4
group.coordinator.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.io.buffer.size=131072
"""


class Kafka:
    """The embedded broker of one data folder."""

    def __init__(
        self,
        home: Home,
        secrets: Secrets,
        ports: tuple[int, int],
        environ: Mapping[str, str],
        progress: Progress = lambda _done, _all: None,
    ) -> None:
        self._home = home
        self._cluster = secrets.kafka_cluster_id
        self.port, self._controller = ports
        self._environ = environ
        self._progress = progress
        self._jars: list[Path] = []
        self._java: Java | None = None
        self.log = home.log("kafka")
        self._data = home.kafka / "data"
        self._properties = home.kafka / "server.properties"

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def program(self) -> Program:
        return Program(
            name="kafka",
            role="server",
            prepare=self._prepare,
            launch=self._launch,
            check=self._answers,
            log=self.log,
            address=self.bootstrap,
            port=self.port,
            stop_within=20.0,
        )

    async def _prepare(self) -> None:
        self._java = java.find(self._environ)
        self._jars = await kafka_jars.ready(self._environ, self._progress)
        self._write_properties()
        write_tools(self._home, self._java, self._jars)
        if not (self._data / "meta.properties").exists():
            await self._format()

    def _write_properties(self) -> None:
        self._properties.write_text(PROPERTIES.format(port=self.port, controller=self._controller))

    async def _format(self) -> None:
        argv = [*self._command("kafka.tools.StorageTool"), "format", "--ignore-formatted"]
        argv += ["--cluster-id", self._cluster, "--config", self._properties.name]
        if await children.complete(argv, env=self._environment(), log=self.log, cwd=self._home.kafka) != 0:
            raise StackError(f"Kafka's storage cannot be made: {children.last_line(self.log)} (log: {self.log})")

    async def _launch(self) -> OwnProcess:
        return children.start(
            [*self._command("kafka.Kafka"), self._properties.name],
            env=self._environment(),
            log=self.log,
            # In order even when we are killed: an unclean stop costs the next start a recovery of its logs.
            dies_by=signal.SIGTERM,
            cwd=self._home.kafka,
        )

    def _command(self, main: str) -> list[str]:
        if self._java is None:
            raise StackError("Kafka was not prepared")
        return command(self._java, self._jars, main)

    def _environment(self) -> dict[str, str]:
        # Java reads names of files in the locale's encoding: a plain C would lose every accent of a path.
        locale = self._environ.get("LC_ALL") or self._environ.get("LANG") or "C.UTF-8"
        return {"PATH": os.defpath, "LC_ALL": locale, "TZ": "UTC"}

    async def _answers(self) -> bool:
        return await kafka_probe.answers("127.0.0.1", self.port)


def command(runtime: Java, jars: list[Path], main: str) -> list[str]:
    classes = os.pathsep.join(str(jar) for jar in jars)
    return [str(runtime.program), *JVM, f"-Dlog4j2.configurationFile={LOG4J}", "-cp", classes, main]


TOOLS = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-delete-records.sh": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-dump-log.sh": "org.apache.kafka.tools.DumpLogSegments",
}


def write_tools(home: Home, runtime: Java, jars: list[Path]) -> None:
    """Kafka's console tools under their own names, on this runtime and these jars."""
    import shlex

    for name, main in TOOLS.items():
        words = " ".join(shlex.quote(word) for word in command(runtime, jars, main))
        script = home.bin / name
        text = f'#!/bin/sh\nexport LC_ALL="${{LC_ALL:-${{LANG:-C.UTF-8}}}}"\nexec {words} "$@"\n'
        if not script.exists() or script.read_text() != text:
            script.write_text(text)
            script.chmod(0o755)
