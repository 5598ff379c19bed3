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
    await expect(visit.page.locator("dialog")).not_to_be_visible()
    await expect(opener).to_be_focused()


async def test_the_large_view_tells_the_facts_and_saves_the_file(new_visit: NewVisit) -> None:
    visit = await with_three(new_visit)
    await visit.card("first made").locator(".tile-open").click()
    about = visit.page.locator(".box-about")
    await expect(about).to_contain_text("Instant")
    await expect(about).to_contain_text("64 × 64")
    async with visit.page.expect_download() as download:
        await about.get_by_text("Download").click()
    assert (await download.value).suggested_filename == "image_1.png"
    assert (await (await download.value).path()).read_bytes().startswith(b"\x89PNG")


async def test_the_link_that_is_copied_shows_the_picture_without_a_session(new_visit: NewVisit) -> None:
    visit = await with_three(new_visit, permissions=["clipboard-read", "clipboard-write"])
    await visit.card("first made").locator(".tile-open").click()
    await visit.page.locator(".box-about").get_by_text("Copy link").click()
    await expect(visit.page.locator(".box-about")).to_contain_text("Link copied")
    link = await visit.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{re.escape(visit.product.url)}/media/[\w-]+/image_1\.png", link)
    stranger = await new_visit()
    # Where the picture lies, nobody keeps an icon for browsers.
    stranger.expect_complaint("403")
    answer = await stranger.page.goto(link)
    assert answer is not None
    assert answer.ok
    assert answer.headers["content-type"] == "image/png"


async def test_the_prompt_and_its_choices_can_be_taken_up_again(new_visit: NewVisit) -> None:
    visit = await with_three(new_visit)
    await visit.card("second made").locator(".tile-open").click()
    await visit.page.get_by_text("Use this prompt").click()
    await expect(visit.prompt).to_have_value("second made")
    await expect(visit.page.locator("select[name=size]")).to_have_value("512x512")
    await expect(visit.page.locator("select[name=model]")).to_have_value("instant")
