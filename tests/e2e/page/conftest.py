"""One browser and one product for all tests of the page; every visit is a person who never came before."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Browser, async_playwright, expect

from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.e2e.page.visit import Visit
from tests.support.product import SECRET, Product
from tests.support.providers.fake import KEY
from tests.support.providers.openai import FakeOpenAI
from tests.support.receiver import Receiver

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
OPERATOR, LOOKER = "user_who_operates", "user_who_looks"
FORBIDDEN = "unspeakable"
"""A word that this installation's policy does not allow."""
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
NewVisit = Callable[..., Awaitable[Visit]]


@pytest.fixture(scope="package")
def chromium() -> str:
    """The browser's program; without one these tests are skipped."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; install it with: apt-get install -y chromium")
    return CHROMIUM


@pytest.fixture(scope="package")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="package")
def page_home() -> Iterator[Path]:
    """A data folder that Postgres' own user can reach."""
    with tempfile.TemporaryDirectory(prefix="sorami-page-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"


@pytest.fixture(scope="package")
async def hooks(browser: Browser) -> AsyncIterator[Receiver]:
    """Somebody's server, which is told what happens."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture(scope="package")
async def paid(browser: Browser) -> AsyncIterator[FakeOpenAI]:
    """A provider that costs money, filters and fails; nothing is rendered by it unless a test names its model."""
    fake = FakeOpenAI()
    await fake.start()
    yield fake
    await fake.stop()


def settings_of(folder: Path, hooks: Receiver, paid: FakeOpenAI) -> dict[str, str]:
    """What the page is looked at with: operators, a policy, a paid provider, a backend whose reports are adopted."""
    words = folder / "words.txt"
    words.write_text(f"{FORBIDDEN}\n", encoding="utf-8")
    return {
        "WEBHOOK_SECRET": SECRET,
        "SORAMI_ORPHANS": "adopt",
        "SORAMI_OPERATORS": f"{OPERATOR},{LOOKER}",
        "SORAMI_WEBHOOK_ALLOW": f"127.0.0.1:{hooks.port}",
        "SORAMI_MODERATION": "words",
        "SORAMI_MODERATION_WORDS": str(words),
        "OPENAI_API_KEY": KEY,
        "SORAMI_OPENAI_URL": f"{paid.url}/v1",
        "SORAMI_PRICES": '{"gpt-image-2": {"amount": "0.039"}}',
    }


@pytest.fixture(scope="package")
async def page_product(browser: Browser, page_home: Path, hooks: Receiver, paid: FakeOpenAI) -> AsyncIterator[Product]:
    """The four services on real servers; started only where there is a browser to look at them."""
    settings = settings_of(page_home.parent, hooks, paid)
    async with Stack(page_home, services=SERVICES, settings=settings) as stack:
        pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=0, max_size=2)
        product = Product(stack, pool)
        yield product
        await product.close()


@pytest.fixture
async def new_visit(browser: Browser, page_product: Product) -> AsyncIterator[NewVisit]:
    """Make visits; afterwards the browser must not have complained of anything unexpected."""
    visits: list[Visit] = []

    async def make(like: Visit | None = None, subject: str | None = None, **options: object) -> Visit:
        choices = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}} | options
        context = await browser.new_context(**choices)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        person = like.person if like else page_product.person(subject)
        visit = Visit(page_product, person, context, await context.new_page())
        await visit.listen()
        visits.append(visit)
        return visit

    yield make
    for visit in visits:
        await visit.context.close()
    assert [text for visit in visits for text in visit.unexpected()] == []


@pytest.fixture
async def visit(new_visit: NewVisit) -> Visit:
    """Somebody with an English browser who opens the page for the first time."""
    visit = await new_visit()
    await visit.arrive()
    return visit
