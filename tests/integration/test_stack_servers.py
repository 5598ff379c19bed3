"""The embedded servers are real, durable, and come back; one stack for all tests of this file."""

import asyncio
import importlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sorami.local import ports
from sorami.local.home import read_json
from sorami.local.stack import Stack
from tests.support.stack import sql


@pytest.fixture(scope="module")
def crashing() -> Iterator[Stack]:
    """A stack of its own: other tests must not meet servers that are being killed."""
    folder = Path(tempfile.mkdtemp(prefix="sorami-crash-"))
    folder.chmod(0o711)
    with Stack(folder / "home") as stack:
        yield stack
    shutil.rmtree(folder)


def objects(stack: Stack) -> Any:
    return importlib.import_module("boto3").client(
        "s3",
        endpoint_url=stack.env["S3_ENDPOINT_URL"],
        region_name=stack.env["S3_REGION"],
        aws_access_key_id=stack.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.env["AWS_SECRET_ACCESS_KEY"],
    )


async def make_topic(stack: Stack, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def publish(stack: Stack, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"], acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def first(stack: Stack, topic: str) -> bytes | None:
    servers = stack.env["KAFKA_BOOTSTRAP_SERVERS"]
    async with AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        record = await asyncio.wait_for(consumer.getone(), 20)
        value: bytes | None = record.value
        return value


def test_postgres_is_what_the_schema_needs(crashing: Stack) -> None:
    assert sql(crashing, "show server_version_num", "sorami").startswith("18")
    assert sql(crashing, "show server_encoding", "sorami") == "UTF8"
    assert sql(crashing, "show timezone", "sorami") == "UTC"
    assert sql(crashing, "show fsync", "sorami") == "on"
    assert sql(crashing, "select lower('ÉTÉ')", "sorami") == "été"
    sql(crashing, "create extension pg_trgm", "sorami")
    assert sql(crashing, "select show_trgm('été') = show_trgm('t')", "sorami") == "f"


def test_postgres_refuses_a_wrong_password(crashing: Stack) -> None:
    url = crashing.env["DATABASE_URL"].replace("postgres:", "postgres:not-", 1)
    psql = shutil.which("psql", path=str(postgres_bin()))
    assert psql is not None
    answer = subprocess.run([psql, "-c", "select 1", url], capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "password authentication failed" in answer.stderr


def postgres_bin() -> Path:
    from sorami.local.postgres import programs

    return programs() / "bin"


def test_every_server_listens_on_loopback_only(crashing: Stack) -> None:
    outside = _own_address()
    if outside is None:
        pytest.skip("this machine has no address but loopback")
    numbers = [int(crashing.env[name].rsplit(":", 1)[1]) for name in ("KAFKA_BOOTSTRAP_SERVERS", "S3_ENDPOINT_URL")]
    numbers.append(int(crashing.env["DATABASE_URL"].rsplit(":", 1)[1].split("/")[0]))
    for number in numbers:
        with socket.socket() as client:
            client.settimeout(2)
            assert client.connect_ex((outside, number)) != 0, number


def _own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting a datagram socket only picks the outgoing address.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def test_committed_rows_survive_a_kill_of_postgres(crashing: Stack) -> None:
    sql(crashing, "create table kept (n int)", "sorami")
    sql(crashing, "insert into kept select generate_series(1, 1000)", "sorami")
    crashing.kill("postgres")
    crashing.wait_ready("postgres", within=30)
    assert sql(crashing, "select count(*) from kept", "sorami") == "1000"


async def test_topics_are_never_created_by_using_them(crashing: Stack) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(publish(crashing, "nobody.made.this", b"x"), 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=crashing.env["KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    try:
        assert "nobody.made.this" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_records_survive_a_kill_of_kafka(crashing: Stack) -> None:
    await make_topic(crashing, "kept")
    await publish(crashing, "kept", b"before the crash")
    await crashing.akill("kafka")
    await crashing.await_ready("kafka", within=40)
    assert await first(crashing, "kept") == b"before the crash"


def test_objects_survive_a_kill_of_the_object_store(crashing: Stack) -> None:
    body = os.urandom(300_000)
    objects(crashing).put_object(Bucket="sorami", Key="images/été.png", Body=body)
    crashing.kill("s3")
    crashing.wait_ready("s3", within=30)
    assert objects(crashing).get_object(Bucket="sorami", Key="images/été.png")["Body"].read() == body


def test_a_server_that_is_stopped_can_be_started_again(crashing: Stack) -> None:
    for name in ("kafka", "s3", "postgres"):
        crashing.stop(name)
    assert ports.is_free(int(_port(crashing.env, "KAFKA_BOOTSTRAP_SERVERS")))
    for name in ("postgres", "s3", "kafka"):
        crashing.start(name)
    assert sql(crashing, "select 1") == "1"


def test_kafkas_own_console_tools_work(crashing: Stack) -> None:
    tool = crashing.home.bin / "kafka-topics.sh"
    answer = subprocess.run(
        [tool, "--bootstrap-server", crashing.env["KAFKA_BOOTSTRAP_SERVERS"], "--list"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "kept" in answer.stdout.split()


def test_what_is_given_is_used_and_not_started(crashing: Stack, tmp_path: Path) -> None:
    names = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "S3_ENDPOINT_URL")
    given = {name: crashing.env[name] for name in names}
    with Stack(tmp_path / "home", settings=given) as stack:
        assert stack.names == ()
        assert {name: stack.env[name] for name in names} == given


def test_a_taken_port_is_moved_and_the_data_stay() -> None:
    folder = Path(tempfile.mkdtemp(prefix="sorami-move-"))
    folder.chmod(0o711)
    try:
        with Stack(folder / "home") as stack:
            sql(stack, "create table moved (n int)", "sorami")
            objects(stack).put_object(Bucket="sorami", Key="a", Body=b"here")
            before = stack.env
        taken = [_hold(before["DATABASE_URL"].rsplit(":", 1)[1].split("/")[0]), _hold(_port(before, "S3_ENDPOINT_URL"))]
        taken.append(_hold(_port(before, "KAFKA_BOOTSTRAP_SERVERS")))
        try:
            with Stack(folder / "home") as stack:
                assert stack.env["DATABASE_URL"] != before["DATABASE_URL"]
                assert stack.env["S3_ENDPOINT_URL"] != before["S3_ENDPOINT_URL"]
                assert sql(stack, "select count(*) from moved", "sorami") == "0"
                assert objects(stack).get_object(Bucket="sorami", Key="a")["Body"].read() == b"here"
        finally:
            for held in taken:
                held.close()
    finally:
        shutil.rmtree(folder)


def _port(env: dict[str, str], name: str) -> str:
    return env[name].rsplit(":", 1)[1]


def _hold(port: str) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", int(port)))
    held.listen()
    return held


def test_an_unreachable_data_folder_is_put_elsewhere_for_postgres(tmp_path: Path) -> None:
    """pytest's own temporary folder is closed to other users, like the home of root."""
    if os.geteuid() != 0:
        pytest.skip("only root needs another user for Postgres")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with Stack(closed / "home", servers=("postgres",), discard=True) as stack:
        assert sql(stack, "select 1") == "1"
        outside = Path(read_json(closed / "home" / "postgres.json")["outside"])
        assert (outside / "data" / "PG_VERSION").exists()
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not outside.exists()
