"""Watching: what runs is shown again after a reload, elsewhere, and after a line that was lost."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Request, expect

from tests.e2e.page.conftest import NewVisit
from tests.e2e.page.visit import Visit


async def ask_for_a_long_film(visit: Visit, prompt: str) -> None:
    await visit.page.locator("input[value=video]").check()
    await visit.choose("duration_seconds", "10")
    await visit.ask(prompt, kind="video")
    await expect(visit.job(prompt)).to_contain_text(re.compile(r"Generating\s*\d+%\s*\d+ s so far"))


async def test_a_running_job_is_shown_again_after_a_reload_and_in_another_browser(
    visit: Visit, new_visit: NewVisit
) -> None:
    await ask_for_a_long_film(visit, "Drifting clouds")
    await visit.page.reload()
    await expect(visit.job("Drifting clouds").get_by_role("progressbar")).to_be_visible()
    elsewhere = await new_visit(like=visit)
    await elsewhere.arrive()
    await expect(elsewhere.job("Drifting clouds").get_by_role("progressbar")).to_be_visible()
    await expect(visit.job("Drifting clouds")).to_contain_text("Done in", timeout=120_000)
    await expect(elsewhere.card("Drifting clouds")).to_be_visible()
    # Now it is known how long such films take.
    await ask_for_a_long_film(visit, "More clouds")
    await expect(visit.job("More clouds")).to_contain_text(re.compile(r"about \d+ s left"))
    await visit.job("More clouds").get_by_role("button", name="Cancel").click()
    await expect(visit.job("More clouds")).to_contain_text("Cancelled")


async def test_a_job_asked_for_by_a_program_appears_by_itself(visit: Visit) -> None:
    await visit.person.ask(prompt="Asked for by a program")
    await expect(visit.card("Asked for by a program")).to_be_visible()


async def test_an_offline_browser_says_so_and_catches_up(visit: Visit) -> None:
    visit.expect_complaint("ERR_INTERNET_DISCONNECTED")
    await visit.context.set_offline(True)
    await expect(visit.page.locator(".notice")).to_contain_text("You are offline")
    await visit.person.ended(await visit.person.ask(prompt="Made meanwhile"))
    await visit.context.set_offline(False)
    await expect(visit.page.locator(".notice")).to_be_empty()
    await expect(visit.card("Made meanwhile")).to_be_visible()


def last_ids(visit: Visit) -> list[str]:
    """What each opening of the stream says it has heard already, from now on."""
    said: list[str] = []

    async def look(request: Request) -> None:
        if "/api/events" in request.url:
            asked = parse_qs(urlsplit(request.url).query).get("last_event_id", [""])[0]
            said.append(asked or (await request.all_headers()).get("last-event-id", ""))

    visit.page.on("request", look)
    return said


async def test_a_notifier_that_is_away_is_said_and_nothing_is_missed(visit: Visit) -> None:
    visit.expect_complaint("50[234]|ERR_INCOMPLETE_CHUNKED_ENCODING")
    await visit.made("Heard by the stream")
    await expect(visit.card("Heard by the stream")).to_be_visible()
    heard, stack = last_ids(visit), visit.product.stack
    await stack.astop("notifier")
    try:
        await expect(visit.page.locator(".notice")).to_contain_text("The line is down")
        # Nobody tells anything: the page asks.
        await visit.ask("While nobody could tell", model="instant")
        await expect(visit.job("While nobody could tell")).to_contain_text("Done")
    finally:
        await stack.astart("notifier")
    await expect(visit.page.locator(".notice")).to_be_empty()
    await expect(visit.card("While nobody could tell")).to_be_visible()
    # It goes on where it was.
    assert int(heard[-1]) > 0


async def test_a_tab_nobody_looks_at_gives_its_line_back_and_catches_up(new_visit: NewVisit) -> None:
    visit = await new_visit()
    await visit.page.clock.install()
    await visit.arrive()
    await visit.made("Seen")
    await expect(visit.card("Seen")).to_be_visible()
    heard = last_ids(visit)
    look = """(hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    await visit.page.evaluate(look, True)
    await visit.page.clock.fast_forward(61_000)
    await visit.made("Made while nobody looked")
    assert await visit.cards.count() == 1
    await visit.page.evaluate(look, False)
    await expect(visit.card("Made while nobody looked")).to_be_visible()
    assert int(heard[0]) > 0
