"""Watching: what runs is shown again after a reload, elsewhere, and after a line that was lost."""

import re

from playwright.async_api import expect

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
    await expect(visit.job("Drifting clouds")).to_contain_text("Done in", timeout=60_000)
    await expect(elsewhere.card("Drifting clouds")).to_be_visible()


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


async def test_a_notifier_that_is_away_is_said_and_nothing_is_missed(visit: Visit) -> None:
    visit.expect_complaint("503|ERR_INCOMPLETE_CHUNKED_ENCODING")
    stack = visit.product.stack
    await stack.astop("notifier")
    try:
        await expect(visit.page.locator(".notice")).to_contain_text("The line is down", timeout=10_000)
        await visit.ask("While nobody could tell", model="instant")
        await expect(visit.job("While nobody could tell")).to_contain_text("Done", timeout=15_000)
    finally:
        await stack.astart("notifier")
    await expect(visit.page.locator(".notice")).to_be_empty(timeout=30_000)
    await expect(visit.card("While nobody could tell")).to_be_visible()
