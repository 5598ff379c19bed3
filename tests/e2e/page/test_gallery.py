"""The gallery: newest first from left to right, nothing jumps, pages follow, what is new arrives."""

import asyncio
from typing import Any

from playwright.async_api import expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit

BOXES = (
    "cards => cards.map(card => { const box = card.getBoundingClientRect(); return [box.left, box.top, box.height]; })"
)


async def make(visit: Visit, *prompts: str, **body: Any) -> None:
    """Make images one after the other, so that the order is known."""
    for prompt in prompts:
        await visit.person.ended(await visit.person.ask(prompt=prompt, **body))


async def test_the_newest_is_first_and_the_next_stands_to_its_right(new_visit: NewVisit) -> None:
    visit = await new_visit(viewport={"width": 1600, "height": 900})
    await make(visit, "one", "two", "three", "four", size="512x512")
    await visit.arrive()
    assert await visit.captions() == ["four", "three", "two", "one"]
    boxes = await visit.cards.evaluate_all(BOXES)
    assert [left for left, _, _ in boxes] == sorted(left for left, _, _ in boxes)
    assert len({top for _, top, _ in boxes}) == 1


async def test_cards_keep_their_place_while_pictures_load(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await make(visit, "wide", size="1792x1024", model="procedural-1")
    await make(visit, "tall", size="1024x1792", model="procedural-1")
    await make(visit, "square", "another square", size="512x512")
    held = asyncio.Event()

    async def hold(route: object) -> None:
        await held.wait()
        await route.continue_()  # type: ignore[attr-defined]

    await visit.page.route("**/media/**", hold)
    await visit.arrive()
    before = await visit.cards.evaluate_all(BOXES)
    held.set()
    await expect(visit.page.locator(".card img.there")).to_have_count(4)
    assert await visit.cards.evaluate_all(BOXES) == before
    wide = await visit.card("wide").locator(".tiles").evaluate("tile => tile.clientWidth / tile.clientHeight")
    assert abs(wide - 1792 / 1024) < 0.02


async def test_images_of_one_generation_share_a_card(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await make(visit, "three of a kind", num_images=3)
    await visit.arrive()
    await expect(visit.cards).to_have_count(1)
    await expect(visit.cards.locator("img")).to_have_count(3)
    await expect(visit.cards).to_contain_text("3 images")
    assert await visit.page.get_by_label("Open 2 of 3: three of a kind").count() == 1


async def test_scrolling_brings_every_page_once_and_in_order(new_visit: NewVisit) -> None:
    visit = await new_visit()
    wanted = [f"number {index:03d}" for index in range(60)]
    jobs = [await visit.person.ask(prompt=prompt, size="256x256") for prompt in wanted]
    for job in jobs:
        await visit.person.ended(job)
    await visit.arrive("/gallery")
    assert await visit.cards.count() < len(wanted)
    end = visit.page.get_by_text("That is everything.")
    async with asyncio.timeout(30):
        while not await end.is_visible():
            await visit.page.mouse.wheel(0, 2_000)
            await visit.page.wait_for_timeout(50)
    assert await visit.captions() == wanted[::-1]


async def test_somebody_who_reads_further_down_is_not_moved(new_visit: NewVisit) -> None:
    visit = await new_visit()
    for job in [await visit.person.ask(prompt=f"old {index}") for index in range(16)]:
        await visit.person.ended(job)
    await visit.arrive("/gallery")
    await visit.page.evaluate("window.scrollTo(0, 900)")
    await make(visit, "brand new")
    fresh = visit.page.get_by_role("button", name="1 new above")
    await expect(fresh).to_be_visible()
    await expect(visit.card("brand new")).to_have_count(0)
    await fresh.click()
    await expect(visit.card("brand new")).to_be_in_viewport()
    assert (await visit.captions())[0] == "brand new"


async def test_films_and_images_can_be_shown_alone(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await make(visit, "a picture")
    await visit.person.ended(await visit.person.ask("video", prompt="a film"), "video")
    await visit.arrive()
    assert await visit.captions() == ["a film", "a picture"]
    await visit.page.get_by_role("button", name="Films").click()
    await expect(visit.cards).to_have_count(1)
    assert await visit.captions() == ["a film"]
    await visit.page.get_by_role("button", name="All", exact=True).click()
    await expect(visit.cards).to_have_count(2)


async def test_what_a_backend_made_is_marked_and_its_foreign_picture_is_offered_as_a_link(visit: Visit) -> None:
    visit.expect_complaint("Content Security Policy|Content-Security-Policy")
    user_id = await visit.person.user_id()
    report = {
        "job_id": "cbackend0000000000000page1",
        "user_id": user_id,
        "status": "completed",
        "data": {
            "images": [{"file_path": "out/1.png", "url": "https://backend.example/1.png", "format": "PNG"}],
            "original_prompt": "Drawn by the old backend",
        },
    }
    answer = await visit.product.backend_says("image", report)
    assert answer.status_code == 200, answer.text
    card = visit.card("Drawn by the old backend")
    await expect(card).to_contain_text("from the backend")
    await expect(card.get_by_text("Open its address")).to_have_attribute("href", "https://backend.example/1.png")
