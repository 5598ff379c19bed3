"""A broker that wants TLS and SCRAM: what is right works, and each thing that is wrong is told by its reason."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.runtime.broker import connection_options, until_reachable
from services.runtime.settings import RuntimeSettings
from sorami.local import children, java, kafka, kafka_jars, kafka_probe
from tests.support.ports import free_ports

PASSWORD = "scram-secret"
MECHANISM = "SCRAM-SHA-512"
# Two doors with the same users: one shows a good certificate, the other one that ended yesterday.
DOORS = ("SOUND", "EXPIRED")
LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class Authority:
    """Signs certificates for 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        own = self._builder(self._name, self._key, ends_in=30)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def write(self, path: Path, *, ends_in: int) -> None:
        """Write a server's key and certificate as Kafka's PEM key store wants them; `ends_in` days."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
        certificate = self._builder(subject, key, ends_in=ends_in).add_extension(names, critical=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ends_in: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            self._name,
            subject,
            key.public_key(),
            x509.random_serial_number(),
            now - timedelta(days=9),
            now + timedelta(days=ends_in),
        )


@dataclass(frozen=True)
class Broker:
    """Where its doors are, and whose word counts."""

    ports: dict[str, int]
    authority: Path
    another: Path

    def settings(self, door: str = "SOUND", **other: str) -> RuntimeSettings:
        environ = {
            "DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports[door]}",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": MECHANISM,
            "KAFKA_SASL_USERNAME": "sorami",
            "KAFKA_SASL_PASSWORD": PASSWORD,
            "KAFKA_SSL_CAFILE": str(self.authority),
        }
        return RuntimeSettings.model_validate(environ | other)


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    folder = tmp_path_factory.mktemp("kafka")
    authority, another = Authority(folder, "authority"), Authority(folder, "another")
    authority.write(folder / "SOUND.pem", ends_in=9)
    authority.write(folder / "EXPIRED.pem", ends_in=-1)
    plain, controller, *doors = free_ports(2 + len(DOORS))
    ports = dict(zip(DOORS, doors, strict=True))
    (folder / "server.properties").write_text(_properties(plain, controller, ports))

    program = java.find(os.environ)
    jars = await kafka_jars.ready(os.environ, lambda _done, _all: None)
    env, log = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}, folder / "log"
    argv = [*kafka.command(program, jars, "kafka.tools.StorageTool"), "format", "--config", "server.properties"]
    argv += ["--cluster-id", "c29yYW1pLXNlY3VyZS10cw", "--add-scram", f"{MECHANISM}=[name=sorami,password={PASSWORD}]"]
    assert await children.complete(argv, env=env, log=log, cwd=folder) == 0, log.read_text()
    argv = [*kafka.command(program, jars, "kafka.Kafka"), "server.properties"]
    running = children.start(argv, env=env, log=log, cwd=folder)
    try:
        async with asyncio.timeout(60):
            while not await kafka_probe.answers("127.0.0.1", plain):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        yield Broker(ports, authority.file, another.file)
    finally:
        children.send(running.pid, signal.SIGKILL)
        await running.wait()


def _properties(plain: int, controller: int, ports: dict[str, int]) -> str:
    own: dict[str, str] = {"auto.create.topics.enable": "true", "sasl.enabled.mechanisms": MECHANISM}
    more = {"listeners": "", "advertised.listeners": "", "listener.security.protocol.map": ""}
    for door, port in ports.items():
        more["listeners"] += f",{door}://127.0.0.1:{port}"
        more["advertised.listeners"] += f",{door}://127.0.0.1:{port}"
        more["listener.security.protocol.map"] += f",{door}:SASL_SSL"
        prefix = f"listener.name.{door.lower()}"
        own[f"{prefix}.ssl.keystore.type"] = "PEM"
        own[f"{prefix}.ssl.keystore.location"] = f"{door}.pem"
        own[f"{prefix}.{MECHANISM.lower()}.sasl.jaas.config"] = LOGIN
    lines = kafka.PROPERTIES.format(port=plain, controller=controller).splitlines()
    pairs = [line.partition("=")[::2] for line in lines]
    whole = {name: value + more.get(name, "") for name, value in pairs} | own
    return "".join(f"{name}={value}\n" for name, value in whole.items())


async def test_what_is_sent_under_tls_and_scram_arrives(broker: Broker) -> None:
    options = connection_options(broker.settings())
    consumer = AIOKafkaConsumer("secure", auto_offset_reset="earliest", **options)
    async with AIOKafkaProducer(**options) as producer:
        await producer.send_and_wait("secure", b"kept from others")
    async with consumer, asyncio.timeout(20):
        assert (await consumer.getone()).value == b"kept from others"


@pytest.mark.parametrize(
    ("door", "wrong", "reason"),
    [
        ("EXPIRED", {}, "certificate has expired"),
        ("SOUND", {"KAFKA_SSL_CAFILE": "another"}, "unable to get local issuer certificate"),
        ("SOUND", {"KAFKA_SASL_PASSWORD": "wrong-secret"}, "invalid credentials"),
        ("SOUND", {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "Connection at 127.0.0.1"),
    ],
)
async def test_what_is_wrong_stands_in_the_log_and_is_tried_again(
    broker: Broker, door: str, wrong: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    if "KAFKA_SSL_CAFILE" in wrong:
        wrong = {"KAFKA_SSL_CAFILE": str(broker.another)}
    options = connection_options(broker.settings(door, **wrong)) | {"request_timeout_ms": 2_000}
    tried = asyncio.Semaphore(0)

    async def start() -> None:
        producer = AIOKafkaProducer(**options)
        try:
            await producer.start()
        finally:
            tried.release()
            await producer.stop()

    waiting = asyncio.create_task(until_reachable(start, what="a producer"))
    async with asyncio.timeout(30):
        for _ in range(3):
            await tried.acquire()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert reason in caplog.text
    assert "secret" not in caplog.text
