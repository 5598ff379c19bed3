"""The operator's page: for those with the role; queues, lags, dead letters and orphans, and what can be done."""

from aiokafka import AIOKafkaProducer
from playwright.async_api import expect

from contracts.ids import new_id
from tests.e2e.page.conftest import OPERATOR, NewVisit
from tests.e2e.page.visit import Visit

HOSTILE = "<img src=x onerror=\"document.title='taken'\">Whose is this?"


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
            "original_prompt": HOSTILE,
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
    opener = letters.get_by_role("button", name="job.progress")
    await opener.press("Enter")
    await expect(visit.page.get_by_role("dialog")).to_contain_text("no event at all")
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    await expect(opener).to_be_focused()
    await letters.get_by_role("button", name="Replay", exact=True).click()
    await expect(visit.toast("It is read once more.")).to_be_visible()

    orphans = visit.page.locator("#orphans")
    await expect(orphans).to_contain_text(HOSTILE)
    await orphans.get_by_role("button", name="Assign").click()
    await visit.page.get_by_role("button", name="To me").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    await expect(orphans).to_contain_text("Nothing is parked.")
    visit.expect_complaint("Content Security Policy|policy: img-src")
    await visit.page.get_by_role("link", name="Gallery").first.click()
    await expect(visit.card("Whose is this?")).to_contain_text("from the backend")
    assert await visit.page.title() == "Gallery · Sorami"


async def test_a_kind_is_paused_with_a_reason_by_the_keyboard_and_what_waits_tells_its_place(
    new_visit: NewVisit,
) -> None:
    visit = await new_visit(subject=OPERATOR)
    # Whatever a backend made for this operator lies elsewhere.
    visit.expect_complaint("Content Security Policy|policy: img-src")
    await visit.arrive("/operate")
    queues, dialog = visit.page.locator("#queues"), visit.page.get_by_role("dialog")
    press = visit.page.keyboard.press
    await expect(queues.get_by_role("button", name="Pause: Built in")).to_be_visible()
    await visit.tab_to("Pause more than a provider")
    await press("Enter")
    await visit.tab_to("Pause: Films")
    await press("Enter")
    await expect(dialog).to_be_visible()
    await visit.page.get_by_label("Why (other operators read it)").focus()
    await visit.page.keyboard.type("the disks are full")
    await press("Enter")
    await expect(queues.locator(".paused")).to_contain_text("Films: paused since today")
    await expect(queues.locator(".paused")).to_contain_text("the disks are full")
    await expect(queues.get_by_role("button", name="Resume: Films")).to_be_focused()
    # Another operator's pause of a model is seen, and ended here.
    await visit.person.http.put("/api/admin/pauses/model/gpt-image-2", json={})
    await expect(queues.locator(".paused")).to_contain_text("gpt-image-2: paused since")
    await queues.get_by_role("button", name="Resume: gpt-image-2").press("Enter")
    await expect(queues.locator(".paused")).not_to_contain_text("gpt-image-2")
    try:
        waiting = [await visit.person.ask("video", prompt=prompt) for prompt in ("It waits", "It waits longer")]
        await visit.page.get_by_role("link", name="Create").first.click()
        await expect(visit.job("It waits longer")).to_contain_text("Number 2 in the queue")
        # A backend that speaks of it is heard.
        said = {"job_id": waiting[0], "status": "generating", "progress": 40, "message": "frame 38 of 96"}
        assert (await visit.product.backend_says("video", said)).status_code == 200
        await expect(visit.page.locator(".job").filter(has_text="frame 38 of 96")).to_contain_text("40%")
        await visit.page.get_by_role("link", name="Operate").first.click()
        await queues.get_by_text("Pause more than a provider").click()
        await queues.get_by_role("button", name="Resume: Films").press("Enter")
        await expect(queues.locator(".paused")).to_have_count(0)
    finally:
        await visit.person.http.delete("/api/admin/pauses/kind/video")
    for job in waiting:
        await visit.person.ended(job, "video")
