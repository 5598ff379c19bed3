"""Creating: one wish, one request, its progress, its result, and what is said when it cannot be."""

import re

from playwright.async_api import Request, expect

from tests.e2e.page.visit import Visit


async def test_a_newcomer_makes_an_image_and_finds_it_in_the_gallery(visit: Visit) -> None:
    await expect(visit.page.locator(".empty")).to_contain_text("Nothing here yet")
    await visit.ask("Violet mountain ridges before sunrise")
    job = visit.job("Violet mountain ridges")
    await expect(job).to_contain_text(re.compile(r"Done in \d"))
    await expect(job.locator(".facts")).to_contain_text(re.compile(r"Procedural.*1024\s×\s1024.*MB"))
    card = visit.card("Violet mountain ridges before sunrise")
    await expect(card).to_contain_text("Today")
    await expect(card.locator("img.there")).to_be_visible()
    assert await card.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1024, 1024]


async def test_a_film_shows_its_poster_and_length_and_plays_without_sound_when_pointed_at(visit: Visit) -> None:
    await visit.page.locator("input[value=video]").check()
    await visit.choose("duration_seconds", "2")
    await visit.ask("City at night, windows lighting up", kind="video")
    card = visit.card("City at night")
    await expect(card.locator("img.there")).to_be_visible(timeout=40_000)
    await expect(card.locator(".length")).to_have_text("0:02")
    await card.locator(".tile-open").hover()
    film = card.locator("video")
    await expect(film).to_have_class("there")
    assert await film.evaluate("film => film.muted")


async def test_progress_glides_forward_and_never_back(visit: Visit) -> None:
    await visit.page.evaluate("""() => {
        window.seen = [];
        new MutationObserver(() => {
            const bar = document.querySelector('.job [role=progressbar]');
            if (bar) window.seen.push(Number(bar.getAttribute('aria-valuenow')));
        }).observe(document.body, {subtree: true, childList: true, attributes: true});
    }""")
    await visit.page.locator("input[value=video]").check()
    await visit.choose("duration_seconds", "4")
    await visit.ask("Slow waves at dusk", kind="video")
    await expect(visit.job("Slow waves")).to_contain_text("Done in", timeout=40_000)
    seen = await visit.page.evaluate("window.seen")
    assert seen == sorted(seen)
    assert {25, 60, 90} <= set(seen)


async def test_a_double_click_is_one_request(visit: Visit) -> None:
    asked: list[Request] = []
    visit.page.on("request", lambda request: asked.append(request) if request.method == "POST" else None)
    await visit.choose("model", "instant")
    await visit.prompt.fill("Once")
    await visit.go.dblclick()
    await expect(visit.card("Once")).to_have_count(1)
    await expect(visit.go).not_to_have_attribute("aria-disabled", "true")
    assert len(asked) == 1


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


async def test_what_the_server_refuses_is_said_at_the_field(visit: Visit) -> None:
    visit.expect_complaint("422")
    await visit.page.get_by_text("Start from an image").click()
    await visit.page.get_by_label("Address of the image").fill("ftp://example.org/x.png")
    await visit.ask("x" * 10_001)
    await expect(visit.page.locator("#fault-prompt")).to_contain_text("10,000 characters at most")
    await expect(visit.page.locator("#fault-input_image_url")).to_contain_text("begins with https://")
    await expect(visit.prompt).to_have_attribute("aria-describedby", "fault-prompt")
    await visit.prompt.fill("shorter")
    await expect(visit.page.locator("#fault-prompt")).to_have_count(0)


async def test_a_place_that_must_not_be_read_is_said_at_the_field(visit: Visit) -> None:
    visit.expect_complaint("422")
    await visit.page.get_by_text("Start from an image").click()
    await visit.page.get_by_label("Address of the image").fill("http://127.0.0.1:1/private.png")
    await visit.ask("From inside")
    await expect(visit.page.locator("#fault-input_image_url")).to_contain_text("does not lead to the public internet")


async def test_an_empty_prompt_is_said_and_not_sent(visit: Visit) -> None:
    await visit.prompt.press("Control+Enter")
    await expect(visit.page.locator("#fault-prompt")).to_have_text("Say what should be made.")
    await expect(visit.page.locator(".job")).to_have_count(0)


async def test_markup_in_a_prompt_is_text(visit: Visit) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    await visit.ask(hostile, model="instant")
    await expect(visit.card(hostile)).to_be_visible()
    await visit.card(hostile).locator(".tile-open").click()
    await expect(visit.page.locator(".box-prompt")).to_have_text(hostile)
    assert await visit.page.title() == "Sorami"


async def test_a_failed_job_says_why_and_leads_back_to_the_prompt(visit: Visit) -> None:
    await visit.page.get_by_text("Start from an image").click()
    await visit.page.get_by_label("Address of the image").fill("https://nowhere.example.org/private.png")
    await visit.ask("From a place that nobody finds")
    job = visit.job("From a place")
    await expect(job).to_contain_text("The starting image could not be used. Nothing was charged.")
    await visit.prompt.fill("Something else")
    await visit.page.reload()
    await expect(job).to_contain_text("The starting image could not be used.")
    await job.get_by_text("Edit prompt").click()
    await expect(visit.prompt).to_have_value("From a place that nobody finds")
    await expect(visit.prompt).to_be_focused()
    await job.get_by_label("Dismiss").click()
    await visit.page.reload()
    await expect(visit.page.locator(".gallery")).to_have_attribute("aria-busy", "false")
    await expect(job).to_have_count(0)


async def test_a_picture_can_be_the_start_of_another(visit: Visit) -> None:
    await visit.ask("A calm sea", model="instant")
    await visit.card("A calm sea").locator(".tile-open").click()
    await visit.page.get_by_text("Start from this image").click()
    await expect(visit.page.get_by_label("Address of the image")).to_have_value(re.compile("/media/"))
    await visit.choose("model", "procedural-1")
    await visit.ask("The same sea in ink")
    await expect(visit.card("The same sea in ink")).to_be_visible()
