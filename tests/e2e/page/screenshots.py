"""Pictures of every view of the page, in three widths and both lights: `make screenshots`, to be looked at one by one.

All of them go to .sorami/screenshots; three, made small, to docs/img for the README.
"""

import asyncio
import io
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from sorami.local import identity
from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.e2e.page.conftest import ARGUMENTS, CHROMIUM, OPERATOR
from tests.support.product import SECRET, Person, Product

ROOT = Path(__file__).parents[3]
ALL = ROOT / ".sorami" / "screenshots"
FEW = ROOT / "docs" / "img"
WIDTHS = {390: 844, 1024: 768, 1600: 1000}
IN_README = {("create", 1600, "dark"), ("large", 1024, "dark"), ("gallery", 390, "light")}
WISHES = [
    ("Violet mountain ridges before sunrise, mist in the valleys", "1024x1536", "illustration", 1),
    ("Wind drawn in coloured ink", "1280x720", "ink", 1),
    ("Botanical plate of a fern on old paper", "1024x1536", "paper", 1),
    ("Agate, cut and polished", "1024x1024", "photo", 1),
    ("Stained glass rose window, warm heart, cold rim", "1024x1024", "illustration", 2),
    ("City at night, windows lighting up one by one", "1024x1024", "neon", 1),
    ("Un coucher de soleil sur une mer calme", "1280x720", "watercolor", 1),
    ("Old map of an island nobody has been to", "1536x1024", "paper", 1),
    ("Portrait of a dancer as a silhouette", "720x1280", "ink", 1),
    ("Woven pattern in indigo and saffron", "1024x1024", "illustration", 4),
]


async def _furnish(person: Person, product: Product) -> None:
    """Make what there is to see."""
    await person.ended(
        await person.ask("video", prompt="Northern lights over a still lake", model="procedural-1"), "video"
    )
    made = []
    for prompt, size, style, count in WISHES:
        body: dict[str, Any] = {"prompt": prompt, "size": size, "style": style, "num_images": count}
        made.append(await person.ask(**body, model="procedural-1"))
    for job in made:
        await person.ended(job)
    await person.http.post("/api/favourites", json={"add": [made[0], made[6]]})
    await person.http.post("/api/albums", json={"name": "Iceland", "items": made[:4]})
    await person.http.post("/api/albums", json={"name": "Patterns and glass", "items": [made[4], made[9]]})
    await person.http.post("/api/keys", json={"name": "nightly report", "scopes": ["media:read"]})
    await person.ended(await person.ask(prompt="From nowhere", input_image_url="https://nowhere.example.org/a.png"))
    report = {"job_id": "cbackend00000000000000001", "status": "completed", "data": {"original_prompt": "Whose?"}}
    report["data"]["images"] = [{"file_path": "1.png", "url": "https://backend.example/1.png"}]  # type: ignore[index]
    await product.backend_says("image", report)


async def _running(page: Page, person: Person) -> None:
    for prompt in ("Slow waves at dusk", "Drifting clouds over a valley"):
        await person.ask("video", prompt=prompt, model="procedural-1", duration_seconds=30, size="1920x1080")
    await page.locator(".job [role=progressbar]").first.wait_for()
    await page.locator("#prompt").fill("A paper lantern festival on a mountain lake, long exposure, stars")


async def _large(page: Page, person: Person) -> None:
    await page.locator(".card").filter(has_text="Old map").locator(".tile-open").click()
    await page.locator(".box-about dl").wait_for()


async def _choosing(page: Page, person: Person) -> None:
    await page.get_by_role("button", name="Select", exact=True).click()
    for card in (await page.locator(".card").all())[:2]:
        await card.locator(".tile-open").first.click()


async def _bell(page: Page, person: Person) -> None:
    await page.locator(".bell-button").click()
    await page.locator(".notice-one").first.wait_for()


async def _new_key(page: Page, person: Person) -> None:
    await page.get_by_role("button", name="New key").click()


async def _nothing(page: Page, person: Person) -> None:
    return


VIEWS: list[tuple[str, str, Callable[[Page, Person], Awaitable[None]]]] = [
    ("gallery", "/gallery", _nothing),
    ("nothing-found", "/gallery?q=zebra", _nothing),
    ("albums", "/albums", _nothing),
    ("settings", "/settings", _nothing),
    ("new-key", "/settings", _new_key),
    ("operate", "/operate", _nothing),
    ("bell", "/", _bell),
    ("choosing", "/gallery", _choosing),
    ("large", "/gallery", _large),
    ("create", "/", _running),
    ("docs", "/docs", _nothing),
]


def _keep(shot: bytes, name: str, width: int, light: str) -> None:
    (ALL / f"{name}-{width}-{light}.png").write_bytes(shot)
    if (name, width, light) in IN_README:
        Image.open(io.BytesIO(shot)).convert("RGB").save(FEW / f"{name}-{width}.webp", quality=74, method=6)


async def _look(browser: Browser, product: Product, person: Person, width: int, light: str) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=light,  # type: ignore[arg-type]
        locale="en-GB",
        has_touch=width < 700,
    )
    page = await context.new_page()
    ticket = identity.ticket(product.stack.home, person.subject)
    await page.goto(f"{product.url}/signin?ticket={ticket}")
    for name, path, prepare in VIEWS:
        await page.goto(product.url + path)
        await page.wait_for_load_state("networkidle") if path == "/docs" else await page.wait_for_timeout(900)
        await prepare(page, person)
        await page.wait_for_timeout(600)
        _keep(await page.screenshot(), name, width, light)
    listed = (await person.http.get("/api/jobs", params={"status": "PENDING,GENERATING"})).json()["jobs"]
    for job in listed:
        await person.http.post(f"/api/jobs/{job['job_id']}/cancel")
    await context.close()
    stranger = await browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=light)  # type: ignore[arg-type]
    page = await stranger.new_page()
    await page.goto(f"{product.url}/signin")
    await page.wait_for_timeout(300)
    _keep(await page.screenshot(), "signin", width, light)
    await stranger.close()


def _open_to_all(folder: Path) -> Path:
    """Postgres runs as a user of its own, which must reach its data."""
    folder.chmod(0o711)
    return folder


async def main() -> None:
    """Start everything in a folder of its own, furnish it, look at it, and leave nothing but the pictures."""
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine; install it with: apt-get install -y chromium")
    shutil.rmtree(ALL, ignore_errors=True)
    ALL.mkdir(parents=True)
    FEW.mkdir(parents=True, exist_ok=True)
    settings = {"WEBHOOK_SECRET": SECRET, "SORAMI_OPERATORS": OPERATOR}
    with tempfile.TemporaryDirectory(prefix="sorami-screenshots-") as folder:
        home = _open_to_all(Path(folder)) / "home"
        async with (
            Stack(home, services=SERVICES, settings=settings) as stack,
            async_playwright() as pw,
        ):
            pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=0, max_size=2)
            product = Product(stack, pool)
            person = product.person(OPERATOR, name="Mara Keller")
            await _furnish(person, product)
            browser = await pw.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for width in WIDTHS:
                for light in ("dark", "light"):
                    await _look(browser, product, person, width, light)
            await browser.close()
            await product.close()
    print(f"{len(list(ALL.iterdir()))} screenshots in {ALL.relative_to(ROOT)}, three of them in docs/img")


if __name__ == "__main__":
    asyncio.run(main())
