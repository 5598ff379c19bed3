"""The seeds' outgoing webhook: every step with its secret, retried under the same id, ends last."""

import asyncio

from tests.support.product import SECRET, Product
from tests.support.receiver import Call, Receiver


async def test_a_job_is_told_in_the_seeds_payloads(product: Product, receiver: Receiver) -> None:
    person = product.person()
    job_id = await person.ask(prompt="Un chat")
    call = await receiver.wait_for(job_id, "completed")
    assert call.path == "/api/webhooks/image-completion"
    assert call.headers["X-Webhook-Secret"] == SECRET
    body = call.body
    assert (body["job_id"], body["user_id"], body["environment"]) == (job_id, person.subject, "test")
    assert body["data"]["job_id"] == job_id
    assert body["data"]["original_prompt"] == "Un chat"
    image = body["data"]["images"][0]
    assert (image["file_path"], image["description"]) == (f"images/{job_id}/image_1.png", "Un chat")
    assert body["data"]["metadata"]["model_name"] == "instant"
    # Its steps stand in the log as those of the seeds' backend did.
    log = await asyncio.to_thread(product.stack.home.log("notifier").read_text, "utf-8")
    assert f"📡 Envoi du webhook pour le job {job_id} vers http://127.0.0.1:{receiver.port}" in log
    assert "✅ Webhook envoyé avec succès (status 200)" in log
    steps = [told.body["status"] for told in receiver.about(job_id)]
    assert steps[-1] == "completed"


async def test_videos_go_to_the_video_address(product: Product, receiver: Receiver) -> None:
    person = product.person()
    job_id = await person.ask("video")
    call = await receiver.wait_for(job_id, "completed")
    assert call.path == "/api/webhooks/video-completion"
    assert call.body["data"]["videos"][0]["fps"] == 8


async def test_an_ending_is_sent_again_under_the_same_id_until_it_is_taken(
    product: Product, receiver: Receiver
) -> None:
    refused: list[str] = []

    def refuse_the_first_ending(call: Call) -> int:
        if call.body["status"] == "completed" and call.body["job_id"] == "stubborn-1" and not refused:
            refused.append(call.headers["webhook-id"])
            return 500
        return 200

    receiver.answer = refuse_the_first_ending
    person = product.person()
    job_id = await person.ask(job_id="stubborn-1")
    delivered = "SELECT id, attempts FROM sorami.deliveries WHERE job_id = $1 AND state = 'delivered' AND attempts = 2"
    row = await product.until(delivered, job_id)
    told = [call for call in receiver.about(job_id) if call.body["status"] == "completed"]
    assert [call.headers["webhook-id"] for call in told] == [refused[0]] * 2
    assert told[0].body == told[1].body
    attempts = await product.rows(
        "SELECT status_code FROM sorami.delivery_attempts WHERE delivery_id = $1 ORDER BY attempt", row["id"]
    )
    assert [attempt["status_code"] for attempt in attempts] == [500, 200]
    receiver.answer = lambda call: 200
