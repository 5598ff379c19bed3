"""Reading: two languages, the keyboard, narrow screens, being signed out, the API page, the policy."""

from playwright.async_api import expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit

WORDS = """async () => {
    const [{ en }, { fr }] = await Promise.all([import('/static/js/words/en.js'), import('/static/js/words/fr.js')]);
    const shape = (words) => Object.fromEntries(
        Object.entries(words).map(([key, value]) => [key, typeof value === 'function' ? value.length : typeof value]),
    );
    return [shape(en), shape(fr)];
}"""
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


async def test_a_french_browser_reads_french_and_the_choice_of_language_is_kept(new_visit: NewVisit) -> None:
    visit = await new_visit(locale="fr-FR")
    await visit.arrive()
    await expect(visit.go).to_contain_text("Générer")
    await expect(visit.page.locator("html")).to_have_attribute("lang", "fr")
    await visit.page.get_by_role("button", name="English").click()
    await expect(visit.go).to_contain_text("Generate")
    await visit.page.reload()
    await expect(visit.go).to_contain_text("Generate")


async def test_both_languages_know_the_same_words(visit: Visit) -> None:
    english, french = await visit.page.evaluate(WORDS)
    assert english == french


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
    visit = await new_visit()
    await visit.person.ended(await visit.person.ask(prompt="w" * 300))
    await visit.arrive()
    await visit.ask("Another that is running or done " * 4, model="instant")
    await expect(visit.page.locator(".job")).to_be_visible()
    for width in (320, 390, 1024, 1920):
        await visit.page.set_viewport_size({"width": width, "height": 900})
        await visit.page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")


async def test_whoever_is_signed_out_is_told_how_to_sign_in(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("401")
    await visit.page.goto(visit.product.url)
    out = visit.page.locator(".out")
    await expect(out).to_contain_text("make run")
    await expect(out).to_contain_text("sorami link")
    await expect(visit.page.locator(".composer")).to_have_count(0)


async def test_a_session_that_ends_meanwhile_is_noticed_at_the_next_request(visit: Visit) -> None:
    visit.expect_complaint("401")
    await visit.context.clear_cookies()
    await visit.ask("Too late")
    await expect(visit.page.locator(".out")).to_be_visible()


async def test_a_sign_in_link_works_once(new_visit: NewVisit) -> None:
    visit, second = await new_visit(), await new_visit()
    second.expect_complaint("401")
    link = visit.link
    await visit.page.goto(link)
    await expect(visit.go).to_be_visible()
    answer = await second.page.goto(link)
    assert answer is not None
    assert answer.status == 401
    await expect(second.page.locator("h1")).to_have_text("This sign-in link is over")


async def test_a_gallery_that_cannot_be_loaded_says_so_and_can_be_tried_again(new_visit: NewVisit) -> None:
    visit = await new_visit()
    visit.expect_complaint("503")
    await visit.person.ended(await visit.person.ask(prompt="behind the trouble"))
    problem = '{"code": "storage_unavailable", "detail": "the database is not available"}'
    await visit.page.route("**/user?*", lambda route: route.fulfill(status=503, body=problem))
    await visit.page.goto(visit.link)
    await expect(visit.page.get_by_text("The gallery could not be loaded.")).to_be_visible()
    await visit.page.unroute("**/user?*")
    await visit.page.get_by_role("button", name="Try again").click()
    await expect(visit.card("behind the trouble")).to_be_visible()


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
    for path in ("/", "/gallery", "/generate-videos", "/docs", "/static/js/main.js"):
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
