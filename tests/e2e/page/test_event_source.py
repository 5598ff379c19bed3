"""`EventSource` in a real browser that loses its line while much happens: each event once and in order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route

from sorami.local import identity
from tests.support.line import Line
from tests.support.product import Person, Product

FRONT_END = "http://localhost:3000/"
LOST_SECONDS = 3.0
PASSED = 200
COLLECT = """
    window.seen = [];
    window.hear = (stream) => {
        for (const type of ['snapshot', 'job.updated'])
            stream.addEventListener(type, (event) => window.seen.push([type, Number(event.lastEventId)]));
    };
"""
BY_COOKIE = COLLECT + "hear(new EventSource('/api/events'));"
# A ticket opens one stream: whoever comes back asks for another and names the last id.
BY_TICKET = (
    COLLECT
    + """
    const open = async () => {
        try {
            const asked = {method: 'POST', headers: {Authorization: 'Bearer ' + token}};
            const {ticket} = await (await fetch(base + '/api/stream-tickets', asked)).json();
            const last = window.seen.length ? '&last_event_id=' + window.seen.at(-1)[1] : '';
            const stream = new EventSource(base + '/api/events?ticket=' + ticket + last);
            hear(stream);
            stream.onerror = () => { stream.close(); setTimeout(open, 300); };
        } catch { setTimeout(open, 300); }
    };
    open();
"""
)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    await line.start()
    yield line
    await line.stop()


@pytest.fixture
async def page(browser: Browser, line: Line) -> AsyncIterator[Page]:
    """A page whose every connection goes over the line, this machine's own too."""
    proxy: Any = {"server": f"http://127.0.0.1:{line.port}", "bypass": "<-loopback>"}
    context = await browser.new_context(proxy=proxy)
    yield await context.new_page()
    await context.close()


async def moves_of(product: Product, owner: str) -> int:
    row = await product.row("SELECT count(*) AS n FROM sorami.job_events WHERE user_id = $1", owner)
    count: int = row["n"]
    return count


async def let_pass(product: Product, person: Person, owner: str, count: int) -> None:
    """Let so many moves of somebody's jobs happen."""
    async with asyncio.timeout(90):
        while await moves_of(product, owner) < count:
            body = {"kind": "image", "prompt": "Un chat", "model": "instant", "variations": 50}
            assert (await person.http.post("/api/batches", json=body)).status_code == 202
            await product.until(
                "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.jobs WHERE owner_id = $1 AND status <> 'COMPLETED')",
                owner,
                within=60,
            )


async def story(product: Product, person: Person, page: Page, line: Line) -> None:
    """Watch, lose the line while two hundred events pass, have it back, and see each once and in order."""
    owner = await person.user_id()
    await page.wait_for_function("() => window.seen.length > 0")
    await person.ended(await person.ask())
    before = await moves_of(product, owner)
    await page.wait_for_function("(n) => window.seen.at(-1)[1] >= n", arg=before)
    line.cut()
    began = asyncio.get_running_loop().time()
    await let_pass(product, person, owner, before + PASSED)
    await asyncio.sleep(max(0.0, began + LOST_SECONDS - asyncio.get_running_loop().time()))
    assert await page.evaluate("window.seen.at(-1)[1]") == before
    line.mend()
    await person.ended(await person.ask())
    after = await moves_of(product, owner)
    await page.wait_for_function("(n) => window.seen.at(-1)[1] >= n", arg=after)
    assert await page.evaluate("window.seen") == [
        ["snapshot", 0],
        *(["job.updated", number] for number in range(1, after + 1)),
    ]


async def test_through_the_gateway_by_the_pages_cookie_each_event_is_shown_once_and_in_order(
    page_product: Product, page: Page, line: Line
) -> None:
    person = page_product.person()
    ticket = identity.ticket(page_product.stack.home, person.subject)
    await page.goto(f"{page_product.url}/signin?ticket={ticket}")
    await page.goto(f"{page_product.url}/docs")
    await page.evaluate(BY_COOKIE)
    await story(page_product, person, page, line)


async def test_straight_from_the_notifier_by_tickets_each_event_is_shown_once_and_in_order(
    page_product: Product, page: Page, line: Line
) -> None:
    person = page_product.person()
    await person.user_id()

    async def empty(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<title>front end</title>")

    await page.route(FRONT_END, empty)
    await page.goto(FRONT_END)
    notifier = f"http://127.0.0.1:{page_product.stack.env['SORAMI_NOTIFIER_PORT']}"
    token = page_product.stack.token(person.subject)
    await page.evaluate("([base, token]) => {" + BY_TICKET + "}", [notifier, token])
    await story(page_product, person, page, line)
