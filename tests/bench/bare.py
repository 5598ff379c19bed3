"""The ceiling of HTTP in Python: a Starlette application that keeps nothing."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.seeds import BIN, SOURCES, Command, until_open
from tests.support.ports import free_ports


@asynccontextmanager
async def bare() -> AsyncIterator[str]:
    """Start it and give its address."""
    port = free_ports(1)[0]
    command: Command = [
        BIN / "uvicorn",
        f"--port={port}",
        "--log-level=warning",
        "--no-access-log",
        "--loop=uvloop",
    ]
    server = subprocess.Popen([*command, "--http=httptools", "tests.bench.baselines.bare:app"], cwd=SOURCES)
    try:
        await until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
