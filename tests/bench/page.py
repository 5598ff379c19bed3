"""Measures the page in Chromium: `python -m tests.bench.page [generations]`. Not a test; it needs a quiet machine.

Prints what a first visit weighs, how soon it shows something, how long scrolling through a gallery of 5,000 generations
keeps the page's thread busy at a time, and what the page holds at its end. Ends with 1 when a figure is over its limit.
A task is counted by the processor time of its thread: its time on the clock, printed beside it, holds whatever else ran
on the machine's cores, the browser's own painting first of all.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from sorami.local import identity
from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.e2e.page.conftest import ARGUMENTS, CHROMIUM
from tests.support.product import Person, Product

GENERATIONS = 5_000
VISITS = 7
WHEEL_PX = 600
PROMPTS = ("Mountains before sunrise", "A city at night", "Agate, cut and polished", "Waves at dusk", "A fern", "Glass")
SHAPES = ("1024x1024", "1280x720", "1024x1536", "1536x1024", "720x1280", "1024x1024")
SLICE = 150
"""Turns of the wheel between two readings of the trace, which would else grow to hundreds of megabytes."""
# Of the process no more is said than its size: a browser keeps decoded pictures as long as there is memory.
LIMITS = {"weight_kb": 120, "first_paint_ms": 1_000, "longest_task_cpu_ms": 50, "holds_mb": 150}
# Rows of finished pictures once more under other ids; their objects are the same, their addresses are not.
_NUMBERS = """(SELECT n, 'cbench' || lpad(n::text, 19, '0') AS id, now() - n * interval '7 minutes' AS at,
                      ($1::text[])[1 + n % cardinality($1::text[])] AS source
               FROM generate_series(1, $2::int) AS n) AS wanted"""
_COPIES = (
    (
        "sorami.jobs",
        "id",
        "'id', wanted.id, 'created_at', at, 'updated_at', at, 'completed_at', at + interval '9 s'",
    ),
    ("image_generations", "id", "'id', wanted.id, 'createdAt', at, 'completedAt', at + interval '9 s'"),
    (
        "image_files",
        '"generationId"',
        "'id', 'f' || wanted.id, 'generationId', wanted.id, 'createdAt', at,"
        " 'fileUrl', '/media/bench-' || wanted.id || '/image_1.png'",
    ),
    ("sorami.files", "job_id", "'id', 'f' || wanted.id, 'job_id', wanted.id, 'token', 'bench-' || wanted.id"),
)
AT_END = """() => scrollY + innerHeight >= document.documentElement.scrollHeight - 2
    && /That is everything/.test(document.querySelector('.gallery > .quiet')?.textContent)"""
FRAME = "() => new Promise((done) => requestAnimationFrame(() => done(true)))"


async def fill(pool: "asyncpg.Pool[Any]", person: Person, generations: int) -> None:
    """Have some pictures made, and the rest of the rows copied from theirs."""
    made = [
        await person.ask(prompt=prompt, size=size, model="procedural-1")
        for prompt, size in zip(PROMPTS, SHAPES, strict=True)
    ]
    for job in made:
        await person.ended(job)
    for table, key, changes in _COPIES:
        await pool.execute(
            f"""INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({changes}))).*
                FROM {table} t JOIN {_NUMBERS} ON wanted.source = t.{key}""",
            made,
            generations - len(made),
        )


async def visit(browser: Browser, product: Product, person: Person) -> tuple[BrowserContext, Page]:
    """A window of somebody who is signed in, with nothing in its cache."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1600, "height": 1000})
    page = await context.new_page()
    ticket = identity.ticket(product.stack.home, person.subject)
    await context.request.get(f"{product.url}/signin?ticket={ticket}")
    return context, page


async def first_visit(browser: Browser, product: Product, person: Person) -> tuple[float, float]:
    """Return what a first visit weighs without media, in kB, and when it shows something, in ms."""
    context, page = await visit(browser, product, person)
    network = await context.new_cdp_session(page)
    await network.send("Network.enable")
    of_page: dict[str, str] = {}
    weights: dict[str, float] = {}
    network.on("Network.responseReceived", lambda said: of_page.update({said["requestId"]: said["response"]["url"]}))
    network.on("Network.loadingFinished", lambda said: weights.update({said["requestId"]: said["encodedDataLength"]}))
    await page.goto(f"{product.url}/")
    await page.locator(".gallery[aria-busy=false] .card img.there").first.wait_for()
    await page.wait_for_load_state("load")
    painted: float = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    await context.close()
    own = [weights.get(one, 0) for one, url in of_page.items() if "/static/" in url or url == f"{product.url}/"]
    return sum(own) / 1_000, painted


def private_mb(pids: Sequence[int]) -> float:
    """Return the memory of the largest of these processes that is its own, in MB."""
    found = [0.0]
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        found.append(sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1_000)
    return max(found)


def longest(trace: bytes) -> tuple[float, float]:
    """Return the longest tasks of a page's thread in a trace, in ms: by its processor time, and by the clock."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [event for event in events if event["ph"] == "X" and (event["pid"], event["tid"]) in threads]
    cpu = max((event.get("tdur", 0) for event in tasks), default=0)
    return cpu / 1_000, max((event["dur"] for event in tasks), default=0) / 1_000


async def holds_mb(page: Page) -> float:
    """Return what the page holds once garbage is collected, in MB: objects, nodes and buffers."""
    inspector = await page.context.new_cdp_session(page)
    await inspector.send("HeapProfiler.collectGarbage")
    usage = await inspector.send("Runtime.getHeapUsage")
    return float(usage["usedSize"] + usage["embedderHeapUsedSize"] + usage["backingStorageSize"]) / 1e6


async def scroll(browser: Browser, product: Product, person: Person) -> dict[str, float]:
    """Scroll to the end of the gallery; return what it took."""
    context, page = await visit(browser, product, person)
    await page.goto(f"{product.url}/gallery")
    await page.locator(".card img.there").first.wait_for()
    most, tasks = 0, []
    while not await page.evaluate(AT_END):
        await browser.start_tracing(categories=["toplevel"])
        for _ in range(SLICE):
            await page.mouse.wheel(0, WHEEL_PX)
            await page.evaluate(FRAME)
        most = max(most, await page.locator(".wall > li").count())
        tasks.append(longest(await browser.stop_tracing()))
    root = await browser.new_browser_cdp_session()
    processes = (await root.send("SystemInfo.getProcessInfo"))["processInfo"]
    figures = {
        "longest_task_cpu_ms": max(cpu for cpu, _ in tasks),
        "longest_task_clock_ms": max(clock for _, clock in tasks),
        "holds_mb": await holds_mb(page),
        "process_mb": private_mb([one["id"] for one in processes if one["type"] == "renderer"]),
        "cards_at_once": most,
    }
    await context.close()
    return figures


async def measure(generations: int) -> dict[str, float]:
    """Start everything, fill the gallery, and measure."""
    with tempfile.TemporaryDirectory(prefix="sorami-page-bench-") as folder:
        Path(folder).chmod(0o711)
        async with (
            Stack(Path(folder) / "home", services=SERVICES, settings={}) as stack,
            async_playwright() as playwright,
        ):
            pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=0, max_size=2)
            product = Product(stack, pool)
            person = product.person()
            await fill(pool, person, generations)
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            visits = [await first_visit(browser, product, person) for _ in range(VISITS)]
            weight, painted = (statistics.median(values) for values in zip(*visits, strict=True))
            figures = {"weight_kb": weight, "first_paint_ms": painted} | await scroll(browser, product, person)
            await browser.close()
            await product.close()
    return figures


def main() -> int:
    """Print the figures beside their limits."""
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine; install it with: apt-get install -y chromium")
    figures = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else GENERATIONS))
    for name, value in figures.items():
        limit = LIMITS.get(name)
        print(f"{name:22} {value:9.1f}" + (f"   at most {limit}" if limit else ""))
    return int(any(figures[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
