"""The operator's page: for those with the role; queues, lags, dead letters and orphans, and what can be done."""

from aiokafka import AIOKafkaProducer
from playwright.async_api import expect

from contracts.ids import new_id
from tests.e2e.page.conftest import OPERATOR, NewVisit
from tests.e2e.page.visit import Visit


async def test_nobody_else_is_shown_it(visit: Visit) -> None:
    await expect(visit.page.get_by_role("link", name="Operate")).to_have_count(0)
    await visit.page.goto(visit.product.url + "/operate")
    await expect(visit.prompt).to_be_visible()


async def test_a_dead_letter_is_read_and_replayed_and_an_orphan_given_to_its_owner(new_visit: NewVisit) -> None:
    visit = await new_visit(subject=OPERATOR)
    producer = AIOKafkaProducer(bootstrap_servers=visit.product.stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    await producer.start()
    await producer.send_and_wait("job.progress", value=b"no event at all", key=b"nobody")
    await producer.stop()
    await visit.product.until("SELECT 1 FROM sorami.dead_letters WHERE key = 'nobody'")
    report = {
        "job_id": new_id(),
        "status": "completed",
        "data": {
            "images": [{"file_path": "out/1.png", "url": "https://backend.example/1.png", "format": "PNG"}],
            "original_prompt": "Whose is this?",
        },
    }
    assert (await visit.product.backend_says("image", report)).json()["parked"]
    await visit.arrive()
    await visit.page.get_by_role("link", name="Operate").first.click()
    health = visit.page.locator("#health")
    await expect(health.locator(".figure-card").filter(has_text="Dead letters")).to_contain_text("1")
    await health.get_by_text("Details").click()
    await expect(health).to_contain_text("sorami.persistence")

    letters = visit.page.locator("#dead-letters")
    await letters.get_by_role("button", name="job.progress").click()
    await expect(visit.page.get_by_role("dialog")).to_contain_text("no event at all")
    await visit.page.get_by_role("dialog").get_by_label("Close").click()
    await letters.get_by_role("button", name="Replay", exact=True).click()
    await expect(visit.toast("It is read once more.")).to_be_visible()

    orphans = visit.page.locator("#orphans")
    await expect(orphans).to_contain_text("Whose is this?")
    await orphans.get_by_role("button", name="Assign").click()
    await visit.page.get_by_role("button", name="To me").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    await expect(orphans).to_contain_text("Nothing is parked.")
    visit.expect_complaint("Content Security Policy|policy: img-src")
    await visit.page.get_by_role("link", name="Gallery").first.click()
    await expect(visit.card("Whose is this?")).to_contain_text("from the backend")


async def test_a_kind_and_everything_are_paused_and_resumed(new_visit: NewVisit) -> None:
    visit = await new_visit(subject=OPERATOR)
    await visit.arrive("/operate")
    queues = visit.page.locator("#queues")
    await queues.get_by_text("Pause more than a provider").click()
    await queues.get_by_role("button", name="Pause Films").click()
    await expect(queues).to_contain_text("Films: paused since Today")
    waiting = await visit.person.ask("video", prompt="It waits")
    assert (await visit.person.status(waiting, "video"))["status"] == "PENDING"
    await queues.get_by_role("button", name="Resume Films").click()
    await expect(queues.locator(".paused")).to_have_count(0)
    await visit.person.ended(waiting, "video")
