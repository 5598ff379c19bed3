"""A product in a process of its own, of whatever commit is on its path: prints where it is, stays until stdin ends."""

import asyncio
import json
import os
import sys
from pathlib import Path

import services
from tests.bench.product import product


async def main() -> None:
    async with product() as made:
        found = {"url": made.url, "tokens": made.tokens, "database_url": made.stack.env["DATABASE_URL"]}
        print(json.dumps({**found, "pid": os.getpid(), "source": str(Path(services.__path__[0]).parent)}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
