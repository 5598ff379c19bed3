"""Pictures of every view of the page, in three widths, both lights and both languages: `make screenshots`.

All of them go to .sorami/screenshots, to be looked at one by one; three, made small, to docs/img for the README.
Names of views and frames may follow (`python -m tests.e2e.page.screenshots create 390-dark-fr`): only those are drawn.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from PIL import Image
from playwright.async_api import Browser, Page, Route, async_playwright

from sorami.local import identity
from sorami.local.services import SERVICES
from sorami.local.stack import Stack
from tests.e2e.page.conftest import ARGUMENTS, CHROMIUM, FORBIDDEN, OPERATOR, settings_of
from tests.support.pictures import png
from tests.support.product import Person, Product
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.openai import FakeOpenAI
from tests.support.receiver import Receiver

ROOT = Path(__file__).parents[3]
ALL = ROOT / ".sorami" / "screenshots"
FEW = ROOT / "docs" / "img"
WIDTHS = {390: 844, 1024: 768, 1600: 1000}
MOST_PX, README_PX = 4_000, 1_024
LIGHTS, LANGUAGES = ("dark", "light"), ("en", "fr")
IN_README = {("create", 1600, "dark", "en"), ("large", 1024, "dark", "en"), ("gallery", 390, "light", "en")}
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
FILM = "Northern lights over a still lake"
NEWCOMER = "user_who_is_new"


@dataclass
class Look:
    """One browser window: what a view is prepared with."""

    page: Page
    mara: Person
    url: str
    put_away: list[str]

    async def click(self, selector: str) -> None:
        await self.page.locator(selector).first.click()

    async def menu(self, item: int) -> None:
        """Open the first card's menu, and choose from it."""
        await self.page.locator(".tile-open").first.focus()
        await self.page.locator(".card-actions [aria-haspopup]").first.click()
        if item >= 0:
            await self.page.locator("[role=menuitem]").nth(item).click()

    async def open(self) -> None:
        await self.page.locator(".tile-open").first.click()
        await self.page.locator(".box-about dl").wait_for()


async def _furnish(mara: Person, product: Product, hooks: Receiver, paid: FakeOpenAI) -> None:
    """Make what there is to see."""
    await mara.ended(await mara.ask("video", prompt=FILM, model="procedural-1", duration_seconds=2), "video")
    # The newest stands first: so the last of these is made first.
    report = {"job_id": "cbackend00000000000000001", "status": "completed", "data": {"original_prompt": "A red kite"}}
    report["data"]["images"] = [{"file_path": "1.png", "url": "https://backend.example/1.png"}]  # type: ignore[index]
    await product.backend_says("image", report)
    mine = {"job_id": "cbackend00000000000000002", "user_id": await mara.user_id()}
    await product.backend_says("image", report | mine)
    made: list[str] = []
    for prompt, size, style, count in reversed(WISHES):
        body: dict[str, Any] = {"prompt": prompt, "size": size, "style": style, "num_images": count}
        made.insert(0, await mara.ask(**body, model="procedural-1"))
        await mara.ended(made[0])
        if "map" in prompt:
            child = await mara.ask(prompt="The same map, a century later", parent_id=made[0], model="procedural-1")
            await mara.ended(child)
    thrown = await mara.ask(prompt="Not worth keeping", model="procedural-1")
    await mara.ended(thrown)
    await mara.http.delete(f"/api/gallery/{thrown}")
    await mara.http.post("/api/favourites", json={"add": [made[0], made[6]]})
    await mara.http.post("/api/albums", json={"name": "Iceland", "items": made[:4]})
    await mara.http.post("/api/albums", json={"name": "Patterns and glass", "items": [made[4], made[9]]})
    await mara.http.post("/api/albums", json={"name": "For later"})
    for name, scopes in (("nightly report", ["media:read"]), ("the shop", ["jobs:read", "jobs:write", "media:read"])):
        await mara.http.post("/api/keys", json={"name": name, "scopes": scopes, "expires_in_days": 90})
    await mara.http.post(
        "/api/shares", json={"generation_id": made[3], "expires_in_seconds": 86_400, "password": "x y z"}
    )
    await mara.http.post("/api/shares", json={"generation_id": made[4]})
    hook = (
        await mara.http.post("/api/webhook-endpoints", json={"url": hooks.url("/shop"), "description": "the shop"})
    ).json()
    await mara.http.post(f"/api/webhook-endpoints/{hook['id']}/test")
    address = {"url": f"ntfy://127.0.0.1:{hooks.port}/sorami", "event_types": ["job.failed"], "digest_seconds": 3600}
    await mara.http.post("/api/channels", json=address)
    for behaviour, prompt in (
        (Behaviour.FILTER_OUTPUT, "Portrait of a famous singer as a statue"),
        (Behaviour.QUOTA, "A balloon race over terracotta roofs"),
    ):
        paid.script = behaviour
        await mara.ended(await mara.ask(prompt=prompt, model="gpt-image-2"))
    await mara.ended(await mara.ask(prompt=f"Something {FORBIDDEN}", model="procedural-1"))
    await mara.ended(
        await mara.ask(prompt="From nowhere", model="procedural-1", input_image_url="https://nowhere.example.org/a.png")
    )
    await mara.http.put("/api/admin/pauses/model/instant", json={"reason": "the disks are full"})
    producer = AIOKafkaProducer(bootstrap_servers=product.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await producer.start()
    await producer.send_and_wait("job.progress", value=b"no event at all", key=b"nobody")
    await producer.stop()


async def _composer(look: Look) -> None:
    await look.page.locator(".composer input[type=file]").or_(look.page.locator(".chip.dashed")).first.click()
    await look.page.locator("input[type=file]").set_input_files(
        {"name": "holiday.png", "mimeType": "image/png", "buffer": png()}
    )
    await look.page.locator(".input-image img").wait_for()
    await look.page.locator("#prompt").fill("")
    await look.page.locator("#prompt").press("Control+Enter")


async def _large(look: Look) -> None:
    await look.open()


async def _film(look: Look) -> None:
    await look.open()
    await look.page.locator("video").evaluate("film => film.pause()")


async def _story(look: Look) -> None:
    await look.open()
    await look.click(".box-about .disclosure button")
    await look.page.locator(".attempts").wait_for()


async def _filters(look: Look) -> None:
    await look.page.locator(".filters .chip").nth(4).click()
    for number in range(2):
        await look.page.locator(".tile-open").nth(number).press("x")


async def _failures(look: Look) -> None:
    await look.click(".job.failed .disclosure button")
    await look.page.locator(".attempts").wait_for()


async def _bell(look: Look) -> None:
    await look.click(".bell-button")
    await look.page.locator(".notice-one").first.wait_for()


async def _account(look: Look) -> None:
    await look.click(".person")


async def _menu(look: Look) -> None:
    await look.menu(-1)


async def _album(look: Look) -> None:
    await look.menu(2)
    await look.page.locator(".pick").wait_for()


async def _share(look: Look) -> None:
    await look.menu(3)


async def _share_made(look: Look) -> None:
    await look.menu(3)
    await look.click("dialog .go")
    await look.page.locator("dialog input[readonly]").wait_for()


async def _deleted(look: Look) -> None:
    await look.menu(-1)
    await look.page.locator("[role=menuitem].bad").click()
    await look.page.locator(".toast").wait_for()


async def _undo(look: Look) -> None:
    await look.click(".toast .plain.accent")


def _dialog(section: str) -> Callable[[Look], Awaitable[None]]:
    async def press(look: Look) -> None:
        await look.click(f"#{section} .section-head .chip")
        await look.page.locator("dialog").wait_for()

    return press


async def _key_made(look: Look) -> None:
    await _dialog("keys")(look)
    await look.page.locator("dialog input").first.fill("one more")
    await look.click("dialog .go")
    await look.page.locator(".secret").wait_for()
    await look.mara.http.delete(f"/api/keys/{(await look.mara.http.get('/api/keys')).json()['keys'][0]['id']}")


async def _log(look: Look) -> None:
    await look.click("#webhooks [aria-expanded]")
    await look.click("#webhooks .deliveries [aria-expanded]")
    await look.page.locator("#webhooks pre").wait_for()


async def _operating(look: Look) -> None:
    await look.page.locator("details > summary").nth(1).wait_for()
    for one in await look.page.locator("details > summary").all():
        await one.click()


async def _pausing(look: Look) -> None:
    await look.click("#queues .table .chip")


async def _letter(look: Look) -> None:
    await look.click("#dead-letters .plain.accent")
    await look.page.locator("dialog pre").wait_for()


async def _offline(look: Look) -> None:
    await look.page.context.set_offline(True)
    await look.page.locator(".notice p").wait_for()


async def _online(look: Look) -> None:
    await look.page.context.set_offline(False)


async def _over(look: Look) -> None:
    await look.page.context.clear_cookies()
    await look.page.locator("a[href='/gallery']").first.dispatch_event("click", {"button": 0})
    await look.page.locator(".over-session").wait_for()


async def _failed(look: Look) -> None:
    async def trouble(route: Route) -> None:
        await route.fulfill(status=503, body='{"code": "storage_unavailable", "detail": "away"}')

    await look.page.route("**/api/gallery?*", trouble)
    await look.page.reload()
    await look.page.locator(".gallery [role=alert]").wait_for()


async def _loading(look: Look) -> None:
    async def never(_: Route) -> None:
        return

    await look.page.route("**/api/gallery?*", never)
    await look.page.reload()
    await look.page.locator(".ghost").first.wait_for()


async def _docs(look: Look) -> None:
    await look.page.locator(".route").first.wait_for()


async def _nothing(look: Look) -> None:
    return


@dataclass(frozen=True)
class View:
    """A view by name: where it is, how it is prepared, who looks, and whether all of it is drawn, however long."""

    name: str
    path: str
    prepare: Callable[[Look], Awaitable[None]] = _nothing
    who: str = OPERATOR
    whole: bool = False
    after: Callable[[Look], Awaitable[None]] = _nothing


VIEWS = [
    View("newcomer", "/", who=NEWCOMER),
    View("composer", "/", _composer),
    View("failures", "/", _failures, whole=True),
    View("gallery", "/gallery"),
    View("gallery-whole", "/gallery", whole=True),
    View("nothing-found", "/gallery?q=zebra"),
    View("trash", "/gallery?deleted=true"),
    View("choosing", "/gallery", _filters),
    View("menu", "/gallery?q=agate", _menu),
    View("into-album", "/gallery?q=agate", _album),
    View("share", "/gallery?q=agate", _share),
    View("share-made", "/gallery?q=agate", _share_made),
    View("deleted", "/gallery?q=agate", _deleted, after=_undo),
    View("loading", "/gallery", _loading),
    View("failed", "/gallery", _failed),
    View("albums", "/albums"),
    View("large", "/gallery?q=island", _large),
    View("film", "/gallery?kind=video", _film),
    View("story", "/gallery?q=century", _story),
    View("bell", "/", _bell),
    View("account", "/", _account),
    View("settings", "/settings", whole=True),
    View("new-channel", "/settings", _dialog("channels")),
    View("new-key", "/settings", _dialog("keys")),
    View("key-made", "/settings", _key_made),
    View("new-webhook", "/settings", _dialog("webhooks")),
    View("webhook-log", "/settings", _log, whole=True),
    View("operate", "/operate", _operating, whole=True),
    View("pausing", "/operate", _pausing),
    View("letter", "/operate", _letter),
    View("docs", "/docs", _docs),
    View("signin", "/signin", who=""),
    View("signin-over", "/signin?ticket=over", who=""),
    View("offline", "/", _offline, after=_online),
    View("session-over", "/", _over),
]

STILL = """() => !document.querySelector('.loading') && [...document.images].every((one) => {
    const away = one.getBoundingClientRect().top > innerHeight;
    return away || (one.complete && (!one.closest('.tile-open') || one.classList.contains('there')));
})"""


@asynccontextmanager
async def _window(browser: Browser, product: Product, who: str, frame: tuple[int, str, str]) -> AsyncIterator[Look]:
    width, light, language = frame
    context = await browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=light,  # type: ignore[arg-type]
        locale={"en": "en-GB", "fr": "fr-FR"}[language],
        has_touch=width < 700,
        is_mobile=width < 700,
    )
    page = await context.new_page()
    page.set_default_timeout(60_000)
    mara = product.person(OPERATOR, name="Mara Keller")
    if who:
        await page.goto(f"{product.url}/signin?ticket={identity.ticket(product.stack.home, who)}")
    put_away: list[str] = []
    if who == OPERATOR:
        # What failed is a view of its own; elsewhere one of them is enough.
        failed = (await mara.http.get("/api/jobs", params={"status": "FAILED"})).json()["jobs"]
        put_away = [job["job_id"] for job in failed if "singer" not in job["prompt"]]
    try:
        yield Look(page, mara, product.url, put_away)
    finally:
        await context.close()
        await mara.http.aclose()


async def _shoot(look: Look, view: View, frame: tuple[int, str, str]) -> None:
    page = look.page
    if page.url.startswith(look.url):
        put_away = [] if view.name == "failures" else look.put_away
        await page.evaluate("(ids) => localStorage.setItem('sorami.dismissed', JSON.stringify(ids))", put_away)
    await page.goto(look.url + view.path)
    await page.wait_for_function(STILL)
    await view.prepare(look)
    if view.name != "loading":
        await page.wait_for_function(STILL)
    # Whatever glides has arrived.
    await page.wait_for_timeout(500)
    if view.whole:
        # As if the screen were as long as the page, so that what keeps to its edges stays there.
        tall = await page.evaluate("document.documentElement.scrollHeight")
        await page.set_viewport_size({"width": frame[0], "height": min(MOST_PX, tall)})
        await page.wait_for_function(STILL)
    shot = await page.screenshot()
    await page.set_viewport_size({"width": frame[0], "height": WIDTHS[frame[0]]})
    width, light, language = frame
    (ALL / f"{view.name}-{width}-{light}-{language}.png").write_bytes(shot)
    if (view.name, *frame) in IN_README:
        small = Image.open(io.BytesIO(shot)).convert("RGB")
        small.thumbnail((README_PX, README_PX))
        small.save(FEW / f"{view.name}-{width}.webp", quality=74, method=6)
    await view.after(look)


async def _look_at(browser: Browser, product: Product, frame: tuple[int, str, str], views: Sequence[View]) -> None:
    """Every view in a window of its own where it ends the session, else one after the other in one."""
    for who in dict.fromkeys(view.who for view in views):
        async with _window(browser, product, who, frame) as look:
            for view in [one for one in views if one.who == who]:
                try:
                    await _shoot(look, view, frame)
                except Exception as error:
                    print(f"{view.name} {frame}: {str(error).splitlines()[0]}", file=sys.stderr)
                await look.page.unroute_all()


async def _start_films(mara: Person) -> list[str]:
    """Two that are being made, and one behind them."""
    body = {"model": "procedural-1", "duration_seconds": 60, "size": "1280x720"}
    prompts = ("Slow waves at dusk", "Drifting clouds over a valley")
    return [await mara.ask("video", prompt=prompt, **body) for prompt in prompts]


async def _running(look: Look) -> None:
    await look.page.locator(".job [role=progressbar]").nth(1).wait_for()
    await look.page.locator("#prompt").fill("A paper lantern festival on a mountain lake, long exposure, stars")


async def main(wanted: Sequence[str]) -> None:
    """Start everything in a folder of its own, furnish it, look at it, and leave nothing but the pictures."""
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine; install it with: apt-get install -y chromium")
    every = [(width, light, language) for width in WIDTHS for light in LIGHTS for language in LANGUAGES]
    frames = [frame for frame in every if "-".join(map(str, frame)) in wanted] or every
    names = [name for name in wanted if not name[0].isdigit()]
    views = [view for view in VIEWS if not names or view.name in names]
    if not wanted:
        shutil.rmtree(ALL, ignore_errors=True)
    ALL.mkdir(parents=True, exist_ok=True)
    FEW.mkdir(parents=True, exist_ok=True)
    hooks, paid = Receiver(), FakeOpenAI()
    await hooks.start()
    await paid.start()
    with tempfile.TemporaryDirectory(prefix="sorami-screenshots-") as folder:
        home = _open_to_all(Path(folder)) / "home"
        async with Stack(home, services=SERVICES, settings=settings_of(Path(folder), hooks, paid)) as stack:
            pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=0, max_size=2)
            product = Product(stack, pool)
            mara = product.person(OPERATOR, name="Mara Keller")
            await _furnish(mara, product, hooks, paid)
            async with async_playwright() as pw:
                browser = await pw.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
                for frame in frames:
                    await _look_at(browser, product, frame, views)
                if not names or "create" in names:
                    films = await _start_films(mara)
                    for frame in frames:
                        await _look_at(browser, product, frame, [View("create", "/", _running)])
                    for job in films:
                        await mara.http.post(f"/api/jobs/{job}/cancel")
                await browser.close()
            await product.close()
    await hooks.stop()
    await paid.stop()
    print(f"{len(list(ALL.iterdir()))} screenshots in {ALL.relative_to(ROOT)}, three of them in docs/img")


def _open_to_all(folder: Path) -> Path:
    """Let Postgres' own user in."""
    folder.chmod(0o711)
    return folder


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
