"""Writes `kafka.lock` anew after a change of version: `python -m sorami.local.kafka_lock`."""

import hashlib
import tempfile
from pathlib import Path

from sorami.local.kafka_jars import LOCK

# Each is resolved by itself: jgo lets one root's managed versions change the other's dependencies.
BROKER = "org.apache.kafka:kafka_2.13:4.3.1"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
CONSOLE_TOOLS = "org.apache.kafka:kafka-tools:4.3.1"
HEADER = """\
# Apache Kafka 4.3.1: the runtime jars of kafka_2.13, its binding to Log4j 2, and its console tools.
# Written by python -m sorami.local.kafka_lock: group:artifact:version, SHA-256, bytes.
"""


def main() -> None:
    from jgo.maven import MavenContext, PythonResolver

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), resolver=PythonResolver())
        roots = [context.create_dependency(text) for text in (BROKER, LOGGING, CONSOLE_TOOLS)]
        _, needed = context.resolver.resolve(roots[:1])
        lines = set()
        for dependency in [*roots, *needed]:
            content = Path(dependency.artifact.resolve()).read_bytes()
            coordinates = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
            lines.add(f"{coordinates} sha256:{hashlib.sha256(content).hexdigest()} {len(content)}")
    LOCK.write_text(HEADER + "\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    main()
