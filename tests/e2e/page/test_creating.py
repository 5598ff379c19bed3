"""Creating: one wish, one request, its progress, its result, and what is said when it cannot be."""

import re
import zipfile

from playwright.async_api import Request, expect

from tests.e2e.page.visit import Visit


async def test_a_newcomer_makes_an_image_and_finds_it_in_the_gallery(visit: Visit) -> None:
    asked: list[Request] = []
    lines: list[str] = []
    visit.page.on("request", lambda request: asked.append(request) if request.url.endswith("/generate") else None)
    visit.page.on("request", lambda request: lines.append(request.url) if "/api/events" in request.url else None)
    await visit.page.reload()
    await expect(visit.page.locator(".empty")).to_contain_text("Nothing here yet")
    await visit.prompt.fill("Violet mountain ridges before sunrise")
    await visit.go.dblclick()
    job = visit.job("Violet mountain ridges")
    await expect(job).to_contain_text(re.compile(r"Done in \d"))
    await expect(job.locator(".facts")).to_contain_text(re.compile(r"Procedural.*1024\s×\s1024.*MB"))
    card = visit.card("Violet mountain ridges before sunrise")
    await expect(card).to_contain_text("Today")
    await expect(card.locator("img.there")).to_be_visible()
    # The card takes a version of the picture that is as wide as it needs, and the bell has rung.
    assert await card.locator("img").evaluate(
        "image => image.currentSrc.includes('thumb') || image.naturalWidth < 1024"
    )
    await expect(visit.page.locator(".badge")).to_have_text("1")
    # Pressed twice, asked once, under a key that makes asking again harmless.
    await expect(visit.cards).to_have_count(1)
    assert len(asked) == 1
    assert len(asked[0].headers["idempotency-key"]) == 25
    # All of it was told by one line.
    assert len(lines) == 1


async def test_the_form_offers_what_the_model_can_do(visit: Visit) -> None:
    formats, lengths = (visit.page.locator(f"select[name={name}]") for name in ("format", "duration_seconds"))
    await expect(formats.locator("option")).to_have_text(["PNG", "JPEG", "WEBP", "AVIF"])
    # What it costs is said before it is asked for.
    await visit.choose("model", "gpt-image-2")
    await visit.choose("num_images", "2")
    await expect(visit.page.locator(".action .hint")).to_contain_text("$0.078")
    await visit.choose("model", "procedural-1")
    await expect(visit.page.locator(".action .hint")).to_contain_text("free")
    await visit.choose("format", "WEBP")
    await visit.choose("model", "instant")
    await expect(formats).to_have_count(0)
    await expect(lengths).to_have_count(0)
    await visit.page.get_by_text("Start from an image").wait_for(state="detached")
    await visit.choose("model", "procedural-1")
    await expect(formats).to_have_value("WEBP")
    await visit.page.locator("input[value=video]").check()
    await expect(lengths).to_have_value("4")
    await visit.page.goto(visit.product.url + "/generate-images")
    await expect(visit.page.locator("input[value=image]")).to_be_checked()
    await visit.page.goto(visit.product.url + "/generate-videos")
    await expect(visit.page.locator("input[value=video]")).to_be_checked()


async def test_a_film_tells_its_progress_forward_and_plays_when_pointed_at(visit: Visit) -> None:
    await visit.page.evaluate("""() => {
        window.seen = [];
        new MutationObserver(() => {
            const bar = document.querySelector('.job [role=progressbar]');
            if (bar) window.seen.push(Number(bar.getAttribute('aria-valuenow')));
        }).observe(document.body, {subtree: true, childList: true, attributes: true});
    }""")
    await visit.page.locator("input[value=video]").check()
    await visit.choose("duration_seconds", "2")
    await visit.ask("City at night, windows lighting up", kind="video")
    card = visit.card("City at night")
    await expect(card.locator("img.there")).to_be_visible(timeout=40_000)
    seen = await visit.page.evaluate("window.seen")
    assert seen == sorted(seen)
    # The first stage may be over before it is drawn.
    assert 60 in seen
    assert len(set(seen)) > 3
    await expect(card.locator(".length")).to_have_text("0:02")
    await card.locator(".tile-open").hover()
    film = card.locator("video")
    await expect(film).to_have_class("there")
    assert await film.evaluate("film => film.muted")


async def test_a_lost_answer_and_another_try_are_one_job(visit: Visit) -> None:
    visit.expect_complaint("ERR_FAILED|Failed to load resource")
    lost = False

    async def lose_the_first_answer(route: object) -> None:
        nonlocal lost
        if lost:
            await route.continue_()  # type: ignore[attr-defined]
            return
        lost = True
        await route.fetch()  # type: ignore[attr-defined]
        await route.abort()  # type: ignore[attr-defined]

    await visit.page.route("**/api/images/generate", lose_the_first_answer)
    await visit.ask("Sent twice, made once", model="instant")
    await expect(visit.page.locator(".composer")).to_contain_text("nothing is made twice")
    await visit.go.click()
    await expect(visit.page.locator(".composer .fault")).to_have_count(0)
    await expect(visit.card("Sent twice")).to_be_visible()
    answer = await visit.person.http.get("/api/images/user")
    assert answer.json()["count"] == 1


async def test_the_draft_survives_a_reload(visit: Visit) -> None:
    await visit.page.locator("input[value=video]").check()
    await visit.choose("style", "ink")
    await visit.choose("size", "720x1280")
    await visit.prompt.fill("A half-written thought")
    await visit.page.reload()
    await expect(visit.prompt).to_have_value("A half-written thought")
    await expect(visit.page.locator("input[value=video]")).to_be_checked()
    await expect(visit.page.locator("select[name=style]")).to_have_value("ink")
    await expect(visit.page.locator("select[name=size]")).to_have_value("720x1280")


async def test_what_would_be_refused_is_said_at_the_field_before_it_is_sent(visit: Visit) -> None:
    visit.expect_complaint("422")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.method) if "generate" in request.url else None)
    await visit.prompt.press("Control+Enter")
    await expect(visit.page.locator("#fault-prompt")).to_have_text("Say what should be made.")
    await visit.page.get_by_text("Start from an image").click()
    address = visit.page.get_by_label("Address of the image")
    await address.fill("ftp://example.org/x.png")
    await visit.ask("x" * 10_001)
    await expect(visit.page.locator("#fault-prompt")).to_contain_text("10,000 characters at most")
    await expect(visit.page.locator("#fault-input_image_url")).to_contain_text("begins with https://")
    await expect(visit.prompt).to_have_attribute("aria-describedby", "fault-prompt")
    await visit.prompt.fill("shorter")
    await expect(visit.page.locator("#fault-prompt")).to_have_count(0)
    assert asked == []
    # What only the server can judge is said at the same place.
    await address.fill("http://127.0.0.1:1/private.png")
    await visit.ask("From inside")
    await expect(visit.page.locator("#fault-input_image_url")).to_contain_text("does not lead to the public internet")


async def test_a_failed_job_says_why_and_leads_on(visit: Visit) -> None:
    await visit.page.get_by_text("Start from an image").click()
    await visit.page.get_by_label("Address of the image").fill("https://nowhere.example.org/private.png")
    await visit.choose("style", "ink")
    await visit.ask("From a place that nobody finds")
    job = visit.job("From a place")
    await expect(job).to_contain_text("The starting image could not be used. Nothing was charged.")
    await visit.page.evaluate("localStorage.removeItem('sorami.draft')")
    await visit.page.reload()
    await expect(job).to_contain_text("The starting image could not be used.")
    await job.get_by_text("Edit prompt").click()
    await expect(visit.prompt).to_have_value("From a place that nobody finds")
    await expect(visit.prompt).to_be_focused()
    await expect(visit.page.locator("select[name=style]")).to_have_value("ink")
    await job.get_by_label("Dismiss").click()
    await visit.page.reload()
    await visit.settled()
    await expect(job).to_have_count(0)


async def test_a_job_is_cancelled_and_asked_for_again(visit: Visit) -> None:
    await visit.page.locator("input[value=video]").check()
    await visit.choose("duration_seconds", "60")
    await visit.ask("Too long a film", kind="video")
    job = visit.job("Too long a film")
    await expect(job).to_contain_text("Generating")
    await job.get_by_role("button", name="Cancel").click()
    await expect(job).to_contain_text("Cancelled")
    await expect(job.get_by_role("progressbar")).to_have_count(0)
    await job.get_by_role("button", name="Try again").click()
    await expect(job.get_by_role("progressbar")).to_be_visible()
    await expect(job).to_have_count(1)
    await job.get_by_role("button", name="Cancel").click()
    await expect(job).to_contain_text("Cancelled")


async def test_several_images_of_one_wish_come_as_one_result(visit: Visit) -> None:
    await visit.choose("num_images", "3")
    await visit.choose("size", "256x256")
    await visit.ask("Three of a kind")
    job = visit.job("Three of a kind")
    await expect(job.locator(".thumb img")).to_have_count(3)
    async with visit.page.expect_download() as download:
        await job.get_by_text("Download all").click()
    archive = zipfile.ZipFile(await (await download.value).path())
    assert len(archive.namelist()) == 3
    await job.get_by_label("Open 2 of 3").click()
    await expect(visit.page.locator(".box-prompt")).to_have_text("Three of a kind")
