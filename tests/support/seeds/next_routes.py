"""Runs the seeds' Next.js routes (next_routes.mjs) in Node, on a Prisma client generated from a schema."""

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.node_tools import TOOLS, needed

HERE = Path(__file__).parent
WINDOW = timedelta(minutes=5)
# In front of us with a database of their own, or on ours with the models we publish.
THEIR_SCHEMA = HERE / "schema.prisma"
OUR_SCHEMA = HERE.parents[2] / "contracts" / "schema.prisma"


def client_of(schema: Path) -> Path:
    """Generate the client of a schema and return its folder."""
    prisma = needed(TOOLS / "node_modules" / "prisma" / "build" / "index.js")
    folder = TOOLS / "prisma" / schema.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    # The engine in JavaScript: the other one is a program that no package registry carries.
    ours = f'provider = "prisma-client-js"\n  engineType = "client"\n  output = "{folder / "client"}"'
    text = schema.read_text("utf-8")
    assert text.count('provider = "prisma-client-js"') == 1
    (folder / "schema.prisma").write_text(text.replace('provider = "prisma-client-js"', ours), "utf-8")
    made = subprocess.run(
        [node(), str(prisma), "generate", "--no-hints", f"--schema={folder / 'schema.prisma'}"],
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "CHECKPOINT_DISABLE": "1",
            "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true",
            "PRISMA_QUERY_ENGINE_LIBRARY": "/bin/true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "client"


def node() -> str:
    return str(needed(TOOLS / "node" / "bin" / "node"))


@dataclass
class NextRoutes:
    """The routes as one process; `tell` hands a webhook on to them and keeps what was said."""

    schema: Path
    database: str
    backend: str
    service_key: str
    window: timedelta = WINDOW
    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        client = await asyncio.to_thread(client_of, self.schema)
        self._process = await asyncio.create_subprocess_exec(
            node(),
            str(HERE / "next_routes.mjs"),
            str(TOOLS),
            str(client),
            env={
                "PATH": os.defpath,
                "BACKEND": self.backend,
                "DATABASE_URL": self.database,
                "SERVICE_KEY": self.service_key,
                "WINDOW_SECONDS": str(self.window.total_seconds()),
            },
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            self.port = int(await self._process.stdout.readline())

    async def stop(self) -> None:
        if self._process is not None:
            # The whole group: `node` of the wheel is a script that starts the program.
            os.killpg(self._process.pid, signal.SIGTERM)
            await self._process.wait()

    async def tell(self, path: str, body: bytes) -> int:
        """Post a webhook to them; return the status they answer with."""
        async with httpx.AsyncClient(timeout=30) as client:
            said = await client.post(f"http://127.0.0.1:{self.port}{path}", content=body)
        payload = httpx.Response(200, content=body).json()
        async with self._arrived:
            self.heard.append(payload)
            self.answered.append(said.status_code)
            self._arrived.notify_all()
        return said.status_code

    async def hears(self, job_id: str, status: str, within: float = 30.0) -> dict[str, Any]:
        """Return what was posted of this status about a job."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.heard if (one["job_id"], one["status"]) == (job_id, status)), None)

        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: found() is not None)
        there = found()
        assert there is not None
        return there
