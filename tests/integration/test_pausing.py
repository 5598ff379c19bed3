"""An operator pauses and resumes work in the running product, and sees what there is to do."""

from contracts.ids import new_id
from tests.support.product import Product

PAUSES = "/api/admin/pauses"


async def test_a_paused_model_begins_nothing_and_goes_on_at_once(product: Product) -> None:
    operator, person = product.operator(), product.person()
    paused = await operator.http.put(f"{PAUSES}/model/instant", json={"reason": "too quick"})
    assert paused.status_code == 200, paused.text
    pause = paused.json()
    assert (pause["scope"], pause["name"], pause["reason"]) == ("model", "instant", "too quick")
    try:
        assert pause in (await operator.http.get(PAUSES)).json()["pauses"]
        held, other = await person.ask(), await person.ask("video")
        await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1", other)
        free = await person.ask(model="procedural-1", size="256x256")
        await person.ended(free)
        for place, job_id, kind in ((1, held, "image"), (2, other, "video")):
            status = await person.status(job_id, kind)
            assert (status["status"], status["queue_position"], status["eta_seconds"]) == ("PENDING", place, None)
        seen = (await operator.http.get("/api/admin/queues")).json()
        queue = {one["provider"]: one for one in seen["queues"]}["instant"]
        assert (queue["queued"], queue["running"], queue["slots"]) == (2, 0, 64)
        assert queue["oldest_seconds"] >= 0
        assert queue["breaker"] == "closed"
        # What is not available now still takes jobs.
        models = {one["id"]: one for one in (await person.http.get("/api/models")).json()["models"]}
        assert (models["instant"]["available"], models["instant"]["unavailable_reason"]) == (False, "paused")
        assert models["procedural-1"]["available"]
        assert seen["caps"] == {}
    finally:
        resumed = await operator.http.delete(f"{PAUSES}/model/instant")
    assert resumed.status_code == 204, resumed.text
    assert (await person.ended(held))[-1].data["status"] == "COMPLETED"
    assert (await person.ended(other, "video"))[-1].data["status"] == "COMPLETED"
    assert (await operator.http.delete(f"{PAUSES}/model/instant")).json()["code"] == "pause_not_found"
    noted = await product.rows("SELECT action FROM sorami.audit_log WHERE subject = 'model:instant' ORDER BY id")
    assert [row["action"] for row in noted][-2:] == ["work.paused", "work.resumed"]


async def test_deadlines_count_while_everything_is_paused(product: Product) -> None:
    operator, person = product.operator(), product.person()
    assert (await operator.http.put(f"{PAUSES}/all/all", json={})).json()["name"] == "all"
    try:
        job_id = await person.ask(start_within_seconds=1)
        assert (await person.ended(job_id))[-1].data["failure"]["code"] == "timeout"
        queues = (await operator.http.get("/api/admin/queues")).json()["queues"]
        assert all(one["paused"] for one in queues)
    finally:
        await operator.http.delete(f"{PAUSES}/all/all")


async def test_what_there_cannot_be_is_not_paused(product: Product) -> None:
    operator = product.operator()
    for subject in ("all/instant", "kind/painting", f"user/{new_id()}"):
        answer = await operator.http.put(f"{PAUSES}/{subject}", json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "pause_target_unknown")
    answer = await operator.http.put(f"{PAUSES}/model/fal-ai/some/model", json={"reason": "a\x07b"})
    assert (answer.status_code, answer.json()["code"]) == (422, "reason_not_printable")
