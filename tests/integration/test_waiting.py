"""A request may wait for its job: it is answered when the job ends, never later than it asked."""

import asyncio
import time

from tests.support.product import Product

QUICK = {"prompt": "Un chat", "model": "instant"}
SLOW = {"prompt": "Waves", "model": "procedural-1", "size": "1280x720", "duration_seconds": 60}


async def test_a_quick_job_is_answered_in_one_call_with_its_result(product: Product) -> None:
    person = product.person()
    answer = await person.http.post("/api/images/generate", json=QUICK, headers={"Prefer": "wait=20"})
    body = answer.json()
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=20")
    assert (body["status"], body["progress"], len(body["images"])) == ("COMPLETED", 100, 1)
    result = (await person.http.get(f"/api/images/{body['job_id']}/result")).json()
    assert body == body | result


async def test_a_job_that_fails_meanwhile_says_why(product: Product) -> None:
    body = {"prompt": "a", "model": "procedural-1", "input_image_url": "https://nowhere.example/x.png"}
    answer = await product.person().http.post("/api/images/generate", json=body, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.json()["status"]) == (200, "FAILED")
    assert answer.json()["failure"]["code"] == "invalid_input"


async def test_a_slow_job_is_answered_as_accepted_after_the_wait(product: Product) -> None:
    person = product.person()
    began = time.monotonic()
    answer = await person.http.post("/api/videos/generate", json=SLOW, headers={"Prefer": "respond-async, wait=1"})
    took = time.monotonic() - began
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    assert 1 <= took < 5
    await person.http.post(f"/api/jobs/{answer.json()['job_id']}/cancel")


async def test_a_preference_that_is_not_understood_is_none(product: Product) -> None:
    person = product.person()
    for preference in ("wait", "wait=soon", "return=minimal", "wait=-1"):
        answer = await person.http.post("/api/images/generate", json=QUICK, headers={"Prefer": preference})
        assert (answer.status_code, "preference-applied" in answer.headers) == (202, False)


async def test_the_longest_wait_is_a_minute(product: Product) -> None:
    answer = await product.person().http.post("/api/images/generate", json=QUICK, headers={"Prefer": "wait=3600"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=60")


async def test_a_status_may_be_waited_for_by_many_at_once(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", **SLOW)
    asked = [asyncio.create_task(person.http.get(f"/api/videos/{job_id}/status?wait=30")) for _ in range(20)]
    asked.append(asyncio.create_task(person.http.get(f"/api/jobs/{job_id}?wait=30")))
    await product.until("SELECT 1 FROM sorami.tasks WHERE job_id = $1", job_id)
    began = time.monotonic()
    await person.http.post(f"/api/videos/{job_id}/cancel")
    answers = await asyncio.gather(*asked)
    assert time.monotonic() - began < 5
    assert {answer.json()["status"] for answer in answers} == {"CANCELLED"}


async def test_a_status_is_answered_when_its_wait_is_over(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", **SLOW)
    answer = await person.http.get(f"/api/videos/{job_id}/status?wait=1")
    assert answer.json()["status"] in ("PENDING", "GENERATING")
    assert int(answer.headers["retry-after"]) == answer.json()["poll_after"] >= 1
    await person.http.post(f"/api/jobs/{job_id}/cancel")


async def test_a_replayed_answer_may_be_waited_for_too(product: Product) -> None:
    person = product.person()
    first = await person.http.post("/api/images/generate", json=QUICK, headers={"Idempotency-Key": "w"})
    again = await person.http.post(
        "/api/images/generate", json=QUICK, headers={"Idempotency-Key": "w", "Prefer": "wait=20"}
    )
    assert (again.status_code, again.json()["job_id"]) == (200, first.json()["job_id"])
    assert again.headers["idempotency-replayed"] == "true"
