"""The gallery: placed before it is painted, found, chosen, kept, shared, thrown away and brought back."""

import asyncio
import zipfile

from playwright.async_api import expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit

BOXES = (
    "cards => cards.map(card => { const box = card.getBoundingClientRect(); return [box.left, box.top, box.height]; })"
)


async def test_the_newest_is_first_and_nothing_moves_while_pictures_load(new_visit: NewVisit) -> None:
    visit = await new_visit(viewport={"width": 1600, "height": 900})
    await visit.made("wide", size="1792x1024", model="procedural-1")
    await visit.made("tall", size="1024x1792", model="procedural-1")
    await visit.made("square", num_images=3)
    held = asyncio.Event()

    async def hold(route: object) -> None:
        await held.wait()
        await route.continue_()  # type: ignore[attr-defined]

    await visit.page.route("**/media/**", hold)
    await visit.arrive()
    await visit.captions("square", "tall", "wide")
    before = await visit.cards.evaluate_all(BOXES)
    # From left to right, and in the colours of what is to come.
    assert [left for left, _, _ in before] == sorted(left for left, _, _ in before)
    await expect(visit.card("tall").locator("canvas.placeholder")).to_be_visible()
    held.set()
    await expect(visit.page.locator(".card img.there")).to_have_count(5)
    assert await visit.cards.evaluate_all(BOXES) == before
    await expect(visit.page.locator(".card canvas.placeholder")).to_have_count(0)
    await expect(visit.card("square")).to_contain_text("3 images")


async def test_scrolling_brings_every_page_and_makes_only_what_is_near(new_visit: NewVisit) -> None:
    visit = await new_visit()
    body = {"kind": "image", "prompt": "one of many", "variations": 70, "model": "instant", "size": "256x256"}
    answer = await visit.person.http.post("/api/batches", json=body)
    assert answer.status_code == 202, answer.text
    batch = answer.json()["batch_id"]
    unfinished = "SELECT 1 FROM sorami.jobs WHERE batch_id = $1 AND status <> 'COMPLETED'"
    await visit.product.until(f"SELECT 1 WHERE NOT EXISTS ({unfinished})", batch, within=60)
    await visit.arrive("/gallery")
    await expect(visit.cards.first).to_be_visible()
    # A window that grows is filled, before anybody scrolls.
    size = visit.page.viewport_size
    assert size is not None
    await visit.page.set_viewport_size({"width": size["width"], "height": 3_000})
    await visit.page.wait_for_function("() => document.querySelectorAll('.wall > li').length > 20")
    await visit.page.set_viewport_size(size)
    end = visit.page.get_by_text("That is everything.")
    seen: dict[str, None] = {}
    most = 0
    bottom = "scrollY + innerHeight >= document.documentElement.scrollHeight - 2"
    async with asyncio.timeout(30):
        while not (await visit.page.evaluate(bottom) and await end.is_visible()):
            shown = await visit.page.locator(".wall > li").evaluate_all("all => all.map(one => one.dataset.id)")
            seen |= dict.fromkeys(shown)
            most = max(most, len(shown))
            await visit.page.mouse.wheel(0, 700)
            await visit.page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
    assert len(seen) == 70
    assert most < 45
    # Somebody who reads further down is not moved by what is new.
    await visit.made("brand new")
    fresh = visit.page.get_by_role("button", name="1 new above")
    await expect(fresh).to_be_visible()
    await expect(visit.card("brand new")).to_have_count(0)
    await fresh.click()
    await expect(visit.card("brand new")).to_be_in_viewport()


async def test_what_is_sought_is_found_and_marked(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await visit.made("Un chat mignon avec des lunettes", "A dog on the beach")
    await visit.person.ended(await visit.person.ask("video", prompt="A film of cats"), "video")
    await visit.arrive("/gallery")
    await visit.page.get_by_role("button", name="Films").click()
    await expect(visit.cards).to_have_count(1)
    await visit.page.get_by_role("button", name="All", exact=True).click()
    await expect(visit.cards).to_have_count(3)
    search = visit.page.get_by_role("searchbox")
    await search.fill("chats lunettes")
    await expect(visit.page.get_by_text("1 found.")).to_be_visible()
    await expect(visit.cards.locator("mark")).to_have_text(["chat", "lunettes"])
    assert "q=chats+lunettes" in visit.page.url
    # The address says what is shown, also after a reload.
    await visit.page.reload()
    await expect(visit.cards).to_have_count(1)
    await expect(search).to_have_value("chats lunettes")
    await search.fill("nothing of the kind whatsoever")
    await expect(visit.page.locator(".empty")).to_contain_text("Nothing found")
    await visit.page.get_by_role("button", name="Show everything").click()
    await expect(visit.cards).to_have_count(3)
    await visit.page.get_by_role("button", name="Filters", exact=True).click()
    await visit.choose("filter-model", "procedural-1")
    await expect(visit.page.locator(".empty")).to_be_visible()
    await visit.choose("filter-model", "")
    await visit.choose("filter-sort", "oldest")
    await expect(visit.cards.first).to_contain_text("Un chat mignon")


async def test_favourites_are_kept_and_shown_alone(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await visit.made("dear", "plain")
    await visit.arrive("/gallery")
    await visit.card("dear").hover()
    await visit.card("dear").get_by_label("Add to favourites").click()
    await expect(visit.card("dear").get_by_label("Remove from favourites")).to_be_visible()
    await visit.page.get_by_role("button", name="Favourites", exact=True).click()
    await expect(visit.cards).to_have_count(1)
    await visit.page.reload()
    await expect(visit.cards).to_have_count(1)
    await visit.card("dear").locator(".tile-open").press("f")
    await expect(visit.cards).to_have_count(0)


async def test_many_are_chosen_with_shift_and_saved_gathered_and_thrown_away_at_once(new_visit: NewVisit) -> None:
    visit = await new_visit(viewport={"width": 1600, "height": 900})
    await visit.made("one", "two", "three", "four", "five")
    await visit.arrive("/gallery")
    bar = visit.page.get_by_role("toolbar", name="Select")
    await visit.page.get_by_role("button", name="Select", exact=True).click()
    await visit.card("five").locator(".tile-open").click()
    await visit.card("two").locator(".tile-open").click(modifiers=["Shift"])
    await expect(bar).to_contain_text("4 selected")
    async with visit.page.expect_download() as download:
        await bar.get_by_label("Download all").click()
    assert len(zipfile.ZipFile(await (await download.value).path()).namelist()) == 4
    await bar.get_by_label("Add to an album").click()
    await visit.page.get_by_label("Name of the album").fill("Four of them")
    await visit.page.get_by_role("button", name="Create").click()
    await expect(visit.toast("Added to Four of them.")).to_be_visible()
    await bar.get_by_label("Delete").click()
    await expect(visit.cards).to_have_count(1)
    await visit.toast("4 deleted.").get_by_text("Undo").click()
    await expect(visit.cards).to_have_count(5)
    await visit.captions("five", "four", "three", "two", "one")
    # The album shows its own; what is thrown away lies in the trash until it is brought back.
    await visit.page.get_by_role("link", name="Albums").first.click()
    await visit.page.locator(".album").get_by_text("Four of them").click()
    await expect(visit.cards).to_have_count(4)
    await visit.do("three", "Remove from this album")
    await expect(visit.cards).to_have_count(3)
    await visit.do("four", "Delete")
    await expect(visit.cards).to_have_count(2)
    await visit.page.goto(visit.product.url + "/gallery?deleted=true")
    await expect(visit.cards).to_have_count(1)
    await visit.card("four").hover()
    await visit.card("four").get_by_label("Restore").click()
    await expect(visit.cards).to_have_count(0)


async def test_albums_are_renamed_shared_and_removed(new_visit: NewVisit) -> None:
    visit = await new_visit()
    ids = await visit.made("inside")
    await visit.person.http.post("/api/albums", json={"name": "Iceland", "items": ids})
    await visit.arrive("/albums")
    album = visit.page.locator(".album")
    await expect(album).to_contain_text("1 item")
    await album.get_by_label("Actions of").click()
    await visit.page.get_by_role("menuitem", name="Rename").click()
    await visit.page.get_by_label("Name of the album").fill("Norway")
    await visit.page.get_by_role("button", name="Save").click()
    await expect(album).to_contain_text("Norway")
    await album.get_by_label("Actions of").click()
    await visit.page.get_by_role("menuitem", name="Share").click()
    await visit.page.get_by_text("Show the prompt").check()
    await visit.page.get_by_role("button", name="Make the link").click()
    url = await visit.page.get_by_role("textbox", name="The link").input_value()
    await visit.page.get_by_label("Close").click()
    stranger = await visit.context.new_page()
    await stranger.goto(url)
    await expect(stranger.locator("figcaption")).to_have_text("inside")
    await album.get_by_label("Actions of").click()
    await visit.page.get_by_role("menuitem", name="Delete").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Delete the album").click()
    await expect(visit.page.get_by_text("No albums yet")).to_be_visible()


async def test_an_edit_remembers_what_it_came_from(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await visit.made("The first draft", size="512x512", style="ink")
    await visit.arrive("/gallery")
    await visit.do("The first draft", "Use this prompt")
    await expect(visit.page.locator(".parent")).to_contain_text("The first draft")
    await expect(visit.page.locator("select[name=size]")).to_have_value("512x512")
    await expect(visit.page.locator("select[name=model]")).to_have_value("instant")
    await expect(visit.page.locator("select[name=style]")).to_have_value("ink")
    await visit.ask("The second draft")
    await expect(visit.card("The second draft")).to_contain_text("edit")
    await expect(visit.page.locator(".parent")).to_have_count(0)
    await visit.card("The second draft").locator(".tile-open").click()
    about = visit.page.locator(".box-about")
    await expect(about).to_contain_text("Came from")
    await about.get_by_role("button", name="The first draft").click()
    await expect(visit.page.locator(".box-prompt")).to_have_text("The first draft")
    await expect(about).to_contain_text("What came of it")


async def test_what_a_backend_made_is_marked_and_its_foreign_picture_is_offered_as_a_link(visit: Visit) -> None:
    visit.expect_complaint("Content Security Policy|policy: img-src")
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


async def test_the_gallery_is_walked_and_used_by_the_keyboard_alone(new_visit: NewVisit) -> None:
    visit = await new_visit(viewport={"width": 1600, "height": 900})
    await visit.made("one", "two", "three")
    await visit.arrive("/gallery")
    press = visit.page.keyboard.press
    await visit.card("three").locator(".tile-open").focus()
    await press("ArrowRight")
    await expect(visit.card("two").locator(".tile-open")).to_be_focused()
    await press("f")
    await expect(visit.card("two").get_by_label("Remove from favourites")).to_have_count(1)
    await press("End")
    await expect(visit.card("one").locator(".tile-open")).to_be_focused()
    await press("Shift+ArrowLeft")
    await expect(visit.page.get_by_role("toolbar", name="Select")).to_contain_text("2 selected")
    await press("Space")
    await expect(visit.page.get_by_role("toolbar", name="Select")).to_contain_text("1 selected")
    await visit.page.get_by_label("Select none").press("Enter")
    await visit.card("three").locator(".tile-open").focus()
    await press("Delete")
    await expect(visit.cards).to_have_count(2)
    await expect(visit.card("two").locator(".tile-open")).to_be_focused()
    await expect(visit.toast("Deleted.").get_by_role("button", name="Undo")).to_be_visible()
    await press("Control+z")
    await expect(visit.cards).to_have_count(3)
    # Within a card, Tab leads to what can be done with it.
    await visit.card("three").locator(".tile-open").focus()
    for name in ("Select: three", "Download", "More actions", "Add to favourites"):
        await press("Tab")
        assert await visit.page.evaluate("document.activeElement.ariaLabel") == name
