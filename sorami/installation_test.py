"""What `helm test` runs: both doors answer, and with a token a job is made, watched to its end and removed again."""

import asyncio
import os
import sys

import httpx

from sorami.api import Api, ApiError, links

PATIENCE = 240.0
"""Seconds that a job may take, an autoscaler's first pod included."""


async def run() -> int:
    """Return 0 when the installation works; each step is a line, and the one that failed says why."""
    url = os.environ["SORAMI_URL"]
    notifier = os.environ.get("SORAMI_TEST_NOTIFIER_URL")
    for address in filter(None, (url, notifier)):
        if not await _ready(address):
            return 1
    token = os.environ.get("SORAMI_TOKEN")
    if not token:
        print("ready; to see a job made, name a secret with an API key: test.existingSecret")
        return 0
    try:
        async with asyncio.timeout(PATIENCE), Api(url, token.strip()) as api:
            return await _make(api, os.environ.get("SORAMI_TEST_MODEL", "instant"))
    except TimeoutError:
        print(f"the job was not over within {PATIENCE:g} s; do generators run? kubectl logs", file=sys.stderr)
    except ApiError as error:
        print(str(error), file=sys.stderr)
    return 1


async def _ready(address: str) -> bool:
    async with httpx.AsyncClient(base_url=address, timeout=10, trust_env=False) as client:
        try:
            answer = await client.get("/readyz")
        except httpx.HTTPError as error:
            print(f"{address} does not answer: {type(error).__name__}", file=sys.stderr)
            return False
    print(f"{address}: {answer.json().get('status')} {answer.json().get('reasons') or ''}".rstrip())
    return answer.status_code == 200


async def _make(api: Api, model: str) -> int:
    job_id = str((await api.create("image", {"prompt": "An installation that works", "model": model}))["job_id"])
    print(f"{job_id}: accepted")
    last = None
    async for last in api.watch("image", job_id):
        print(f"{job_id}: {last.status} {last.progress} %")
    if last is None or last.status != "COMPLETED":
        print(f"{job_id}: {last.error if last else 'nothing was heard of it'}", file=sys.stderr)
        return 1
    for link in links("image", await api.result("image", job_id)):
        print(link)
    await api.call("DELETE", f"/api/gallery/{job_id}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
