"""Seconds from `make run`'s own command to the first 202 and the first COMPLETED, on nothing and on existing data."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from sorami.local import identity
from sorami.local.home import Home, read_json
from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.running import Values, interleave
from tests.bench.seeds import SOURCES

SORAMI = Path(sys.prefix) / "bin" / "sorami"


async def _start(folder: Path) -> Values:
    env = {**os.environ, "SORAMI_HOME": str(folder), "SORAMI_PORT": "0"}
    began = time.perf_counter()
    up = subprocess.Popen([SORAMI, "up"], env=env, cwd=SOURCES, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(120), httpx.AsyncClient() as client:
            job_id, url, headers = await _first_answer(folder, client)
            answered = time.perf_counter() - began
            while (await client.get(f"{url}/{job_id}/status", headers=headers)).json()["status"] != "COMPLETED":
                await asyncio.sleep(0.01)
            return {"answered": answered, "completed": time.perf_counter() - began}
    finally:
        await asyncio.to_thread(up.wait)
        down = subprocess.Popen([SORAMI, "down"], env=env, cwd=SOURCES, stdout=subprocess.DEVNULL)
        await asyncio.to_thread(down.wait)


async def _first_answer(folder: Path, client: httpx.AsyncClient) -> tuple[str, str, dict[str, str]]:
    home = Home(folder)
    while True:
        port = read_json(home.ports).get("SORAMI_PORT") or read_json(home.ports).get("gateway")
        if port and (home.issuer / "jwks.json").exists():
            url, headers = f"http://127.0.0.1:{port}/api/images", {"Authorization": f"Bearer {identity.token(home)}"}
            try:
                body = {"prompt": "Un chat mignon", "model": "instant"}
                answer = await client.post(f"{url}/generate", json=body, headers=headers)
                if answer.status_code == 202:
                    return answer.json()["job_id"], url, headers
            except httpx.HTTPError:
                pass
        await asyncio.sleep(0.01)


async def _fresh() -> Values:
    with tempfile.TemporaryDirectory(prefix="sorami-bench-") as folder:
        Path(folder).chmod(0o711)
        first = await _start(Path(folder) / "home")
        again = await _start(Path(folder) / "home")
    return {**first, "answered_again": again["answered"], "completed_again": again["completed"]}


async def run(plan: Plan) -> list[Row]:
    measured = await interleave({"up": _fresh}, rounds=min(plan.rounds, 3))

    def row(figure: str, what: str, goal: float | None = None) -> Row:
        return Row("start", figure, "s", measured.of(f"up.{what}"), goal, False, measured.foreign)

    return [
        row("first 202, on nothing", "answered", 5),
        row("first COMPLETED, on nothing", "completed", 9),
        row("first 202, on existing data", "answered_again"),
        row("first COMPLETED, on existing data", "completed_again"),
    ]
