"""The large view: arrows walk, Esc closes, focus comes back, the file can be kept."""

import re

from playwright.async_api import expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit


async def with_three(new_visit: NewVisit, **options: object) -> Visit:
    visit = await new_visit(**options)
    for prompt in ("first made", "second made", "third made"):
        await visit.person.ended(await visit.person.ask(prompt=prompt, size="512x512"))
    await visit.arrive("/gallery")
    return visit


async def test_arrows_walk_through_the_gallery_and_escape_goes_back_to_where_one_was(new_visit: NewVisit) -> None:
    visit = await with_three(new_visit)
    opener = visit.card("third made").locator(".tile-open")
    await opener.focus()
    await opener.press("Enter")
    shown = visit.page.locator(".box-prompt")
    await expect(shown).to_have_text("third made")
    await visit.page.keyboard.press("ArrowRight")
    await expect(shown).to_have_text("second made")
    await visit.page.keyboard.press("ArrowRight")
    await visit.page.keyboard.press("ArrowRight")
    await expect(shown).to_have_text("first made")
    await visit.page.keyboard.press("ArrowLeft")
    await expect(shown).to_have_text("second made")
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.locator("dialog")).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_the_large_view_tells_the_facts_and_saves_the_file(new_visit: NewVisit) -> None:
    visit = await with_three(new_visit, permissions=["clipboard-read", "clipboard-write"])
    await visit.card("first made").locator(".tile-open").click()
    about = visit.page.locator(".box-about")
    await expect(about).to_contain_text("Instant")
    await expect(about).to_contain_text("64 × 64")
    async with visit.page.expect_download() as download:
        await about.get_by_text("Download").click()
    assert (await download.value).suggested_filename == "image_1.png"
    assert (await (await download.value).path()).read_bytes().startswith(b"\x89PNG")
    await about.get_by_label("More actions").click()
    await visit.page.get_by_role("menuitem", name="Copy link").click()
    await expect(visit.toast("Link copied")).to_have_count(1)
    link = await visit.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{re.escape(visit.product.url)}/media/[\w-]+/image_1\.png", link)
    stranger = await new_visit()
    # Where the picture lies, nobody keeps an icon for browsers.
    stranger.expect_complaint("403")
    answer = await stranger.page.goto(link)
    assert answer is not None
    assert answer.ok
    assert answer.headers["content-type"] == "image/png"


async def test_a_picture_is_looked_at_closely_and_alone(new_visit: NewVisit) -> None:
    visit = await with_three(new_visit)
    await visit.card("third made").locator(".tile-open").click()
    picture, about = visit.page.locator(".box-stage img"), visit.page.locator(".box-about")
    small = await picture.evaluate("one => one.getBoundingClientRect().width")
    await visit.page.keyboard.press("z")
    await expect(picture).to_have_class("zoomed")
    assert await picture.evaluate("one => one.getBoundingClientRect().width") > small * 1.5
    await visit.page.keyboard.press("z")
    await expect(picture).not_to_have_class("zoomed")
    await picture.click()
    await expect(picture).to_have_class("zoomed")
    await visit.page.keyboard.press("i")
    await expect(about).to_have_count(0)
    await visit.page.keyboard.press("i")
    await visit.page.keyboard.press("f")
    await expect(about.get_by_role("button", name="Favourite", exact=True)).to_have_attribute("aria-pressed", "true")
    # However often Tab is pressed, the focus stays inside.
    for _ in range(25):
        await visit.page.keyboard.press("Tab")
        assert await visit.page.evaluate("document.activeElement.closest('dialog') || document.activeElement.tagName")
        assert await visit.page.evaluate("!document.activeElement.closest('main')")
