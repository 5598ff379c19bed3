"""A second Postgres that follows the rig's own: no commit is told before both have it on disk."""

import asyncio
import os
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

import asyncpg

from sorami.local import children, unprivileged
from sorami.local import postgres as local_postgres
from sorami.local.children import OwnProcess
from sorami.local.secrets import load_or_make
from tests.chaos.proxy import Proxy
from tests.chaos.rig import LINKS, Rig
from tests.support.ports import free_port

READY_WITHIN = 60.0
FOLLOWS = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'"


class Standby:
    """Follows, takes over, and becomes the rig's own server at the end."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._place = unprivileged.choose(rig.stack.home, local_postgres.programs())
        self._folder = self._place.data.with_name("standby")
        self._log = rig.stack.home.log("standby")
        self._process: OwnProcess | None = None
        self._home = {proxy: proxy.upstream for proxy in self._proxies()}
        self.port = free_port()

    def _proxies(self) -> list[Proxy]:
        return [self._rig.between(service, "postgres") for service in LINKS]

    async def start(self) -> None:
        """Copy the server while it works, follow it, and have every commit wait for the copy."""
        self._folder.mkdir(mode=0o700)
        unprivileged.give(self._folder, self._place.user)
        source = self._rig.stack.env["DATABASE_URL"]
        await self._copy("-D", self._folder, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")
        self._launch()
        async with asyncio.timeout(READY_WITHIN):
            pool = self._rig.product.pool
            await pool.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            await pool.execute("SELECT pg_reload_conf()")
            while not await pool.fetchval(FOLLOWS):
                await asyncio.sleep(0.05)

    async def take_over(self) -> None:
        """End following, and have every service speak with it from now on."""
        async with asyncio.timeout(READY_WITHIN):
            connection = await asyncpg.connect(self._url)
            try:
                assert await connection.fetchval("SELECT pg_promote(wait => true)")
            finally:
                await connection.close()
        for proxy in self._proxies():
            proxy.upstream = self.port
            proxy.reset()

    async def come_home(self) -> None:
        """Stop in order, and let the rig's own server go on with what this one has: its data are what counts now."""
        for proxy in self._proxies():
            proxy.become(refuses=True)
        await self.stop(signal.SIGINT)
        await self._rig.stack.astop("postgres")
        await asyncio.to_thread(shutil.rmtree, self._place.data)
        self._folder.rename(self._place.data)
        await self._rig.stack.astart("postgres")
        for proxy, upstream in self._home.items():
            proxy.upstream = upstream
            proxy.clear()

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            children.send(self._process.pid, how)
            await self._process.wait()
            self._process = None

    @property
    def _url(self) -> str:
        own = load_or_make(self._rig.stack.home)
        user = f"{local_postgres.SUPERUSER}:{quote(own.postgres_password)}"
        return f"postgresql://{user}@127.0.0.1:{self.port}/{local_postgres.DATABASE}"

    def _launch(self) -> None:
        argv: list[str | Path] = [self._place.programs / "bin" / "postgres", "-D", self._folder, "-p", str(self.port)]
        for name, value in local_postgres.SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        self._process = children.start(argv, env=self._environment(), log=self._log, user=self._place.user)

    async def _copy(self, *arguments: str | Path) -> None:
        argv = [self._place.programs / "bin" / "pg_basebackup", *arguments]
        code = await children.complete(argv, env=self._environment(), log=self._log, user=self._place.user)
        assert code == 0, children.last_line(self._log)

    def _environment(self) -> dict[str, str]:
        password = load_or_make(self._rig.stack.home).postgres_password
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGPASSWORD": password}
