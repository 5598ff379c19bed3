"""Reading: two languages, the keyboard, narrow screens, being signed out, the API page, the policy."""

import asyncio
from urllib.parse import quote

from playwright.async_api import Locator, Route, expect

from tests.e2e.page.conftest import LOOKER, NewVisit
from tests.e2e.page.visit import Visit

FOCUS = """() => {
    const element = document.activeElement;
    const shown = element.closest('.choice, .segments label') ?? element;
    const style = getComputedStyle(shown);
    const box = shown.getBoundingClientRect();
    return {
        name: element.id || element.name || element.className || element.textContent.trim(),
        marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        there: box.width > 0 && box.height > 0,
    };
}"""


async def test_a_french_browser_reads_french_and_what_is_chosen_is_kept(new_visit: NewVisit) -> None:
    visit = await new_visit(locale="fr-FR", color_scheme="light")
    await visit.arrive()
    await expect(visit.go).to_contain_text("Générer")
    await expect(visit.page.locator("html")).to_have_attribute("lang", "fr")
    await visit.page.get_by_label("Compte").click()
    await visit.page.get_by_role("menuitem", name="Réglages").click()
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    day = await visit.page.evaluate(ground)
    await visit.page.get_by_label("Sombre").check()
    await visit.page.get_by_label("English").check()
    await expect(visit.page.get_by_text("Appearance")).to_be_visible()
    night = await visit.page.evaluate(ground)
    assert (day, night) == ("rgb(245, 247, 251)", "rgb(11, 14, 20)")
    await visit.page.goto(visit.product.url)
    await expect(visit.go).to_contain_text("Generate")
    assert await visit.page.evaluate(ground) == night


async def test_everything_is_reached_by_the_keyboard_with_a_visible_focus(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await visit.person.ended(await visit.person.ask(prompt="to be reached"))
    await visit.arrive()
    reached = []
    for _ in range(40):
        await visit.page.keyboard.press("Tab")
        reached.append(await visit.page.evaluate(FOCUS))
        if "round glass" in reached[-1]["name"]:
            break
    names = [focus["name"] for focus in reached]
    for name in ("prompt", "kind", "style", "size", "num_images", "quality", "model", "go", "tile-open"):
        assert name in names
    assert names.index("prompt") < names.index("go") < names.index("tile-open")
    # The prompt shows its caret; whatever else is reached is outlined.
    assert [focus for focus in reached if not (focus["marked"] and focus["there"]) and focus["name"] != "prompt"] == []


async def test_nothing_is_wider_than_the_screen(new_visit: NewVisit) -> None:
    visit = await new_visit(subject=LOOKER, locale="fr-FR")
    await visit.person.ended(await visit.person.ask(prompt="w" * 300))
    await visit.arrive()
    await visit.ask("Another that is running or done " * 4, model="instant")
    await expect(visit.page.locator(".job")).to_be_visible()
    for path in ("/", "/albums", "/settings", "/operate"):
        await visit.page.goto(visit.product.url + path)
        if path == "/operate":
            await expect(visit.page.locator("summary")).to_have_count(2)
            for summary in await visit.page.locator("summary").all():
                await summary.click()
        for width in (320, 390, 1024, 1920):
            await visit.page.set_viewport_size({"width": width, "height": 900})
            await visit.page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)


async def test_whoever_is_signed_out_is_told_how_to_sign_in(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("401")
    await visit.page.goto(visit.product.url)
    out = visit.page.locator(".out")
    await expect(out).to_contain_text("make run")
    await expect(out).to_contain_text("sorami link")
    await expect(visit.page.locator(".composer")).to_have_count(0)


async def test_a_session_that_ends_meanwhile_leaves_everything_in_its_place(visit: Visit) -> None:
    visit.expect_complaint("401")
    await visit.context.clear_cookies()
    await visit.ask("Too late")
    over = visit.page.get_by_role("alert")
    await expect(over).to_contain_text("Your session has ended")
    await expect(visit.prompt).to_have_value("Too late")
    await expect(over.get_by_role("link")).to_have_attribute("href", "/signin?return_to=%2F")


async def test_a_sign_in_link_works_once(new_visit: NewVisit) -> None:
    visit, second = await new_visit(), await new_visit()
    second.expect_complaint("401")
    link = visit.link
    await visit.page.goto(link)
    await expect(visit.go).to_be_visible()
    answer = await second.page.goto(link)
    assert answer is not None
    assert answer.status == 401
    await expect(second.page.locator("h1")).to_have_text("This sign-in link has expired")


async def test_a_gallery_says_that_it_loads_and_that_it_could_not(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("503")
    await visit.made("behind the trouble")
    held = asyncio.Event()
    problem = '{"code": "storage_unavailable", "detail": "the database is not available"}'

    asked = 0

    async def trouble(route: Route) -> None:
        nonlocal asked
        asked += 1
        await held.wait()
        await route.fulfill(status=503, body=problem)

    await visit.page.route("**/api/gallery?*", trouble)
    await visit.page.goto(visit.link)
    await expect(visit.page.locator(".ghost").first).to_be_visible()
    held.set()
    await expect(visit.page.get_by_text("The gallery could not be loaded.")).to_be_visible()
    before = asked
    await visit.page.get_by_role("button", name="Try again").click()
    await expect(visit.page.get_by_text("The gallery could not be loaded.")).to_be_visible()
    assert asked > before
    # When the trouble is over it is there with the next news, pressed or not.
    await visit.page.unroute("**/api/gallery?*")
    await visit.made("after the trouble")
    await expect(visit.card("behind the trouble")).to_be_visible()
    await expect(visit.card("after the trouble")).to_be_visible()


HOSTILE = [
    "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>",
    "\u202eright to left\u202c مرحبا بالعالم שלום",
    "👩‍👩‍👧‍👦🏳️‍🌈 ".strip() + " e\u0301\u0327" * 20,
    "A very long story. " + "word " * 1_990,
]


async def test_whatever_a_prompt_holds_is_text_wherever_it_is_shown(new_visit: NewVisit) -> None:
    visit = await new_visit()
    ids = await visit.made(*HOSTILE)
    await visit.person.http.post("/api/albums", json={"name": HOSTILE[0], "items": ids})
    await visit.arrive()
    await visit.captions(*HOSTILE[::-1])
    await visit.prompt.fill(HOSTILE[0])
    await visit.choose("size", "256x256")
    await visit.prompt.press("Control+Enter")
    await expect(visit.job("onerror")).to_contain_text("Done")
    await visit.page.get_by_role("searchbox").fill("onerror title")
    await expect(visit.cards.locator("mark").first).to_have_text("onerror")
    await visit.page.get_by_role("searchbox").fill("")
    await expect(visit.cards).to_have_count(5)
    for text in HOSTILE:
        await visit.card(text.strip()[:40]).last.locator(".tile-open").click()
        await expect(visit.page.locator(".box-prompt")).to_have_text(text.strip())
        await visit.page.keyboard.press("Escape")
    await visit.person.http.post("/api/keys", json={"name": HOSTILE[0], "scopes": ["media:read"]})
    for path, there in {
        "/albums": ".album",
        "/settings": "#keys tbody",
        f"/gallery?q={quote('<img src=x onerror=alert(1)>')}": ".gallery",
    }.items():
        await visit.page.goto(visit.product.url + path)
        await expect(visit.page.locator(there)).to_be_visible()
        assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(visit.page).to_have_title("Gallery · Sorami")
    assert await visit.page.locator("img[src=x]").count() == 0


async def test_axe_finds_nothing_that_keeps_anybody_out(new_visit: NewVisit) -> None:
    visit = await new_visit(subject=LOOKER, color_scheme="dark", reduced_motion="reduce")
    await visit.made("to be looked at", "another one")
    await visit.person.http.post("/api/albums", json={"name": "An album"})
    await visit.arrive()
    found = {"/": await visit.axe()}
    # Colours of both lights are judged by their tokens; here what lies on what.
    await visit.page.emulate_media(color_scheme="light")
    found["by day"] = await visit.axe()
    await visit.page.locator(".bell-button").click()
    await expect(visit.page.locator("#bell li").first).to_be_visible()
    found["the bell"] = await visit.axe()
    await visit.page.keyboard.press("Escape")
    await visit.card("another one").first.locator(".tile-open").click()
    await expect(visit.page.locator(".box-about dl")).to_be_visible()
    found["the large view"] = await visit.axe()
    await visit.page.keyboard.press("Escape")
    await visit.page.get_by_role("button", name="Select", exact=True).click()
    await visit.page.get_by_role("button", name="Filters", exact=True).click()
    found["choosing"] = await visit.axe()
    views = {"/albums": ".album", "/settings": "#shares p", "/operate": "#orphans p", "/docs": ".route"}
    for path, there in (views | {"/signin": "#key"}).items():
        await visit.page.goto(visit.product.url + path)
        await expect(visit.page.locator(there).first).to_be_visible()
        found[path] = await visit.axe()
    assert {name: faults for name, faults in found.items() if faults} == {}


async def test_axe_finds_nothing_in_what_lies_over_the_page(new_visit: NewVisit) -> None:
    visit = await new_visit(subject=LOOKER, color_scheme="light", reduced_motion="reduce")
    ids = await visit.made("under a question")
    await visit.person.http.post("/api/albums", json={"name": "An album", "items": ids})
    await visit.arrive("/gallery")
    page, found = visit.page, {}

    async def judged(name: str, inside: str) -> None:
        await expect(page.locator(inside)).to_be_visible()
        found[name] = await visit.axe(inside)

    def button(name: str) -> Locator:
        return page.get_by_role("button", name=name, exact=True)

    for action in ("Add to an album", "Share"):
        await visit.do("under a question", action)
        await judged(action, "dialog")
        if action == "Share":
            await button("Make the link").click()
            await expect(page.get_by_role("textbox", name="The link")).to_be_focused()
            await judged("the link", "dialog")
        await page.keyboard.press("Escape")
    await visit.card("under a question").first.get_by_label("More actions").click()
    await judged("a menu", ".menu")
    await page.keyboard.press("Escape")
    await visit.card("under a question").first.locator(".tile-open").click()
    await page.locator(".box-about").get_by_role("button", name="What happened").click()
    await expect(page.locator(".box-about .attempts")).to_be_visible()
    await judged("the large view with its attempts", "dialog")
    await page.keyboard.press("Escape")
    await page.goto(visit.product.url + "/settings")
    for name in ("New channel", "New endpoint", "New key"):
        await button(name).click()
        await judged(name, "dialog")
        if name != "New key":
            await page.keyboard.press("Escape")
    await page.get_by_label("Name", exact=True).fill("to be looked at")
    await button("Make the key").click()
    await expect(page.locator(".secret")).to_be_visible()
    await judged("a new key", "dialog")
    await page.goto(visit.product.url + "/operate")
    await page.get_by_text("Pause more than a provider").click()
    await button("Pause: Everything").click()
    await judged("pausing", "dialog")
    await page.keyboard.press("Escape")
    await visit.context.clear_cookies()
    visit.expect_complaint("401")
    await page.get_by_role("link", name="Gallery").first.click()
    await judged("the session is over", ".over-session")
    assert {name: faults for name, faults in found.items() if faults} == {}


async def test_the_api_page_shows_every_operation_of_the_description(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await visit.page.goto(visit.product.url + "/docs")
    described = (await visit.person.http.get("/openapi.json")).json()["paths"]
    routes = sorted(f"{method.upper()} {path}" for path, methods in described.items() for method in methods)
    await expect(visit.page.locator(".route")).to_have_count(len(routes))
    shown = await visit.page.locator(".route").all_inner_texts()
    assert sorted(" ".join(text.split()) for text in shown) == routes
    await expect(visit.page.locator("#request_image")).to_contain_text("num_images")


async def test_every_part_of_the_page_carries_the_strict_policy(visit: Visit) -> None:
    for path in ("/", "/gallery", "/settings", "/docs"):
        policy = (await visit.person.http.get(path)).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


async def test_motion_stops_where_it_is_unwanted(new_visit: NewVisit) -> None:
    visit = await new_visit(reduced_motion="reduce")
    await visit.person.ended(
        await visit.person.ask("video", prompt="a still film", model="procedural-1", duration_seconds=1), "video"
    )
    await visit.arrive()
    await visit.card("a still film").locator(".tile-open").hover()
    await expect(visit.card("a still film").locator("img.there")).to_be_visible()
    await expect(visit.page.locator(".card video")).to_have_count(0)
    glide = "getComputedStyle(document.documentElement).getPropertyValue('--glide')"
    assert await visit.page.evaluate(glide) in ("0ms", "0s")
