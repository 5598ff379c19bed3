"""What failed or came in part: why, whose rule it was, what it cost, what was tried, and what can be done."""

from playwright.async_api import expect

from tests.e2e.page.conftest import FORBIDDEN, OPERATOR, NewVisit
from tests.e2e.page.visit import Visit
from tests.support.providers.behaviours import Behaviour
from tests.support.providers.openai import FakeOpenAI

MODEL = "gpt-image-2"


async def test_what_the_installation_does_not_allow_says_so_and_offers_another_prompt(visit: Visit) -> None:
    await visit.ask(f"Something {FORBIDDEN}")
    job = visit.job(FORBIDDEN)
    await expect(job).to_contain_text(
        "The rules of this installation do not allow what was asked. Nothing was charged."
    )
    await expect(job.get_by_role("button", name="Try again")).to_have_count(0)
    await expect(job.get_by_role("button", name="Edit prompt")).to_be_visible()


async def test_what_a_provider_withheld_is_told_with_its_cost_its_reasons_and_every_attempt(
    visit: Visit, paid: FakeOpenAI
) -> None:
    paid.script = Behaviour.FILTER_OUTPUT
    await visit.choose("model", MODEL)
    await visit.ask("A famous singer as a statue")
    job = visit.job("A famous singer")
    await expect(job).to_contain_text("The provider's safety filter withheld what was made.")
    await expect(job).to_contain_text("It is not known whether it was charged.")
    await expect(job).to_contain_text("Reason given: violence")
    await job.get_by_role("button", name="What happened").click()
    attempts = job.get_by_role("list", name="What happened").get_by_role("listitem")
    await expect(attempts).to_have_count(1)
    await expect(attempts).to_contain_text(f"{MODEL}")
    await expect(attempts).to_contain_text("failed")
    await expect(attempts.locator(".provider-words")).to_contain_text("safety_violations")
    # Of four, two came: the large view says so, and how it was made.
    paid.script = Behaviour.FILTER_PARTIAL
    await visit.choose("num_images", "4")
    await visit.ask("Four statues")
    await expect(visit.card("Four statues")).to_contain_text("2 images")
    await visit.card("Four statues").locator(".tile-open").first.click()
    about = visit.page.locator(".box-about")
    await expect(about).to_contain_text("2 of 4 came.")
    await about.get_by_role("button", name="What happened").click()
    await expect(about.get_by_role("list", name="What happened")).to_contain_text("succeeded")


async def test_a_provider_that_fails_is_named_to_whoever_asks_and_to_whoever_operates(
    new_visit: NewVisit, paid: FakeOpenAI
) -> None:
    visit = await new_visit(subject=OPERATOR)
    # Whatever a backend made for this operator lies elsewhere.
    visit.expect_complaint("Content Security Policy|policy: img-src")
    await visit.arrive()
    paid.script = Behaviour.QUOTA
    await visit.choose("model", MODEL)
    await visit.ask("Too much of it")
    job = visit.job("Too much of it")
    await expect(job).to_contain_text("The provider's quota is used up. Nothing was charged.")
    await job.get_by_role("button", name="Choose another model").click()
    await expect(visit.prompt).to_have_value("Too much of it")
    await expect(visit.prompt).to_be_focused()
    # From now on it gets no work for a while; what is asked of it waits.
    await visit.page.reload()
    await expect(visit.page.locator(".rests")).to_contain_text(f"{MODEL} is failing right now.")
    await visit.choose("model", "procedural-1")
    await expect(visit.page.locator(".rests")).to_have_count(0)
    await visit.page.get_by_role("link", name="Operate").first.click()
    row = visit.page.locator("#queues tbody tr").filter(has_text="OpenAI")
    await expect(row).to_contain_text("failing")
    await visit.page.locator("#queues").get_by_text("Pause more than a provider").click()
    await expect(visit.page.locator(".switches li").filter(has_text=MODEL)).to_contain_text("failing, tried again soon")
