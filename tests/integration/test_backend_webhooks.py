"""The seeds' inbound webhooks: jobs move as the seeds say, unknown ids are met with care, repeats change nothing."""

import asyncio
import json
from typing import Any

import pytest

from contracts.ids import new_id
from tests.support.golden import golden
from tests.support.product import Product

PENDING_MODEL = "nobody-renders-this"


async def waiting_job(product: Product, kind: str = "image", **values: Any) -> tuple[str, str]:
    """Insert a job that no generator takes up, as if the seeds' backend rendered it; return its id and owner."""
    person = product.person()
    owner = await person.user_id()
    job_id = new_id()
    table = f"{kind}_generations"
    await product.pool.execute(
        f'INSERT INTO {table} (id, prompt, "authorId") VALUES ($1, $2, $3)', job_id, "Un chat", owner
    )
    await product.pool.execute(
        """INSERT INTO sorami.jobs (id, kind, owner_id, provider, model, request, request_hash)
           VALUES ($1, $2, $3, 'backend', $4, $5::jsonb, '')""",
        job_id,
        kind,
        owner,
        PENDING_MODEL,
        json.dumps(
            {
                "job_id": job_id,
                "kind": kind,
                "at": "2025-10-23T14:30:00Z",
                "user_id": owner,
                "prompt": "Un chat",
                "count": 1,
                "size": "1024x1024",
                "format": "PNG",
                "model": PENDING_MODEL,
            }
        ),
    )
    return job_id, owner


def about(body: dict[str, Any], job_id: str) -> dict[str, Any]:
    """Return a payload of the seeds about another job."""
    told = body | {"job_id": job_id}
    if "job_id" in told.get("data", {}):
        told["data"] = told["data"] | {"job_id": job_id}
    return told


async def test_progress_and_completion_of_the_seeds_move_a_job(product: Product) -> None:
    job_id, owner = await waiting_job(product)
    for body in golden("e2_progress"):
        answer = await product.backend_says("image", about(body, job_id))
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        await product.until(
            "SELECT 1 FROM image_generations WHERE id = $1 AND status = 'GENERATING' AND progress = $2",
            job_id,
            body["progress"],
        )
    answer = await product.backend_says("image", about(golden("e1_completed"), job_id))
    assert answer.json() == {"success": True}
    await product.until(
        "SELECT 1 FROM image_generations WHERE id = $1 AND status = 'COMPLETED' AND progress = 100", job_id
    )
    file = await product.row('SELECT * FROM image_files WHERE "generationId" = $1', job_id)
    assert file["filename"] == "image_1.png"
    assert file["s3Key"] == "images/cm4abc123def456ghi789/image_1.png"
    assert file["fileUrl"] == "https://s3.amazonaws.com/.../image_1.png"
    assert (file["fileSize"], file["format"], file["aspectRatio"]) == (524288, "PNG", "1024x1024")
    notification = await product.row('SELECT * FROM notifications WHERE "userId" = $1', owner)
    assert (notification["type"], notification["message"]) == ("IMAGE_COMPLETED", "1 image(s) créée(s).")


async def test_a_failure_of_the_seeds_fails_a_job(product: Product) -> None:
    job_id, owner = await waiting_job(product)
    await product.backend_says("image", about(golden("e3_failed"), job_id))
    row = await product.until("SELECT failure FROM sorami.jobs WHERE id = $1 AND status = 'FAILED'", job_id)
    assert "Quota API dépassé" in row["failure"]
    notification = await product.row('SELECT * FROM notifications WHERE "userId" = $1', owner)
    assert (notification["type"], notification["title"]) == ("IMAGE_FAILED", "La génération a échoué")


async def test_the_minimal_video_completion_of_the_seeds_completes_a_job(product: Product) -> None:
    job_id, _ = await waiting_job(product, "video")
    await product.backend_says("video", about(golden("e10_video_completed"), job_id))
    await product.until("SELECT 1 FROM video_generations WHERE id = $1 AND status = 'COMPLETED'", job_id)
    assert await product.row('SELECT 1 FROM video_files WHERE "generationId" = $1', job_id)


async def test_posting_a_completion_many_times_at_once_and_later_changes_nothing(product: Product) -> None:
    job_id, owner = await waiting_job(product)
    body = about(golden("e1_completed"), job_id)
    answers = await asyncio.gather(*(product.backend_says("image", body) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND status = 'COMPLETED'", job_id)
    late = await product.backend_says("image", body)
    assert late.json() == {"success": True, "ignored": True, "state": "COMPLETED"}
    files = await product.rows('SELECT 1 FROM image_files WHERE "generationId" = $1', job_id)
    notifications = await product.rows('SELECT 1 FROM notifications WHERE "userId" = $1', owner)
    assert (len(files), len(notifications)) == (1, 1)


async def test_an_unknown_job_of_a_known_user_is_adopted_with_its_prompt(product: Product) -> None:
    person = product.person()
    owner = await person.user_id()
    job_id = f"backend-{new_id()}"
    body = about(golden("e1_completed"), job_id) | {"user_id": person.subject}
    body["data"] = body["data"] | {"original_prompt": "Le vrai prompt"}
    answers = await asyncio.gather(*(product.backend_says("image", body) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    row = await product.until("SELECT * FROM image_generations WHERE id = $1 AND status = 'COMPLETED'", job_id)
    assert (row["authorId"], row["prompt"], row["model"]) == (owner, "Le vrai prompt", "gemini-2.5-flash-image")
    notification = await product.until('SELECT metadata FROM notifications WHERE "userId" = $1', owner)
    assert '"source": "backend-direct"' in notification["metadata"]
    listed = (await person.http.get("/api/images/user")).json()["generations"]
    assert [(item["id"], item["source"]) for item in listed] == [(job_id, "backend-direct")]


async def test_an_unknown_job_of_nobody_is_parked_and_never_given_to_the_first_user(product: Product) -> None:
    job_id = f"backend-{new_id()}"
    body = about(golden("e1_completed"), job_id)
    answer = await product.backend_says("image", body)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "parked": True})
    again = await product.backend_says("image", body)
    assert again.json() == {"success": True, "parked": True}
    assert await product.row("SELECT 1 FROM image_generations WHERE id = $1", job_id) is None
    parked = await product.rows("SELECT reason FROM sorami.orphans WHERE job_id = $1", job_id)
    assert [row["reason"] for row in parked] == ["user_unknown"]


async def test_a_report_under_the_backends_own_id_repairs_our_job_instead_of_making_a_second(product: Product) -> None:
    job_id, owner = await waiting_job(product)
    theirs = f"c76c36ee-{new_id()}"
    await product.pool.execute(
        """INSERT INTO sorami.operations (job_id, attempt, provider, operation_id, owner_id)
           VALUES ($1, 1, 'backend', $2, $3)""",
        job_id,
        theirs,
        owner,
    )
    await product.backend_says("image", about(golden("e1_completed"), theirs))
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND status = 'COMPLETED'", job_id)
    assert await product.row("SELECT 1 FROM image_generations WHERE id = $1", theirs) is None


async def test_an_unknown_job_is_parked_while_a_submit_of_that_user_is_open(product: Product) -> None:
    job_id, owner = await waiting_job(product)
    await product.pool.execute(
        "INSERT INTO sorami.operations (job_id, attempt, provider, owner_id) VALUES ($1, 1, 'backend', $2)",
        job_id,
        owner,
    )
    theirs = f"c76c36ee-{new_id()}"
    answer = await product.backend_says("image", about(golden("e1_completed"), theirs) | {"user_id": owner})
    assert answer.json() == {"success": True, "parked": True}
    assert await product.row("SELECT 1 FROM image_generations WHERE id = $1", theirs) is None


async def test_a_generation_an_application_made_is_finished_by_its_backend(product: Product) -> None:
    person = product.person()
    job_id = f"prisma-{new_id()}"
    await product.pool.execute(
        'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)',
        job_id,
        "Un chat",
        await person.user_id(),
    )
    await product.backend_says("image", about(golden("e1_completed"), job_id))
    await product.until("SELECT 1 FROM image_generations WHERE id = $1 AND status = 'COMPLETED'", job_id)
    assert (await person.http.get(f"/api/images/{job_id}/result")).json()["images"][0]["filename"] == "image_1.png"


async def test_a_completion_that_kafka_forgot_is_sent_again(product: Product) -> None:
    job_id, _ = await waiting_job(product)
    # The row alone is left of it, as after a broker was put back to an older copy.
    event = {
        "job_id": job_id,
        "kind": "image",
        "at": "2025-10-23T14:30:00Z",
        "provider": "backend",
        "files": [
            {"index": 1, "url": "https://x/1.png", "filename": "1.png", "format": "PNG", "content_type": "image/png"}
        ],
    }
    await product.pool.execute(
        "INSERT INTO sorami.backend_reports (job_id, topic, event) VALUES ($1, 'job.completed', $2::jsonb)",
        job_id,
        json.dumps(event),
    )
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND status = 'COMPLETED'", job_id)
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.backend_reports WHERE job_id = $1)", job_id, within=20
    )


async def test_a_completion_is_kept_until_its_job_has_ended(product: Product) -> None:
    job_id, _ = await waiting_job(product)
    await product.backend_says("image", about(golden("e1_completed"), job_id))
    assert await product.row("SELECT 1 FROM sorami.backend_reports WHERE job_id = $1", job_id)


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret-for-test"])
async def test_a_webhook_without_the_right_secret_is_refused(product: Product, secret: str | None) -> None:
    answer = await product.backend_says("image", golden("e1_completed"), secret)
    assert (answer.status_code, answer.json()["code"]) == (401, "webhook_signature_invalid")


async def test_a_completion_without_images_fails_the_job(product: Product) -> None:
    job_id, _ = await waiting_job(product)
    answer = await product.backend_says("image", {"job_id": job_id, "status": "completed", "data": {"images": []}})
    assert answer.status_code == 200
    row = await product.until("SELECT failure FROM sorami.jobs WHERE id = $1 AND status = 'FAILED'", job_id)
    assert '"code": "no_media"' in row["failure"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"status": "COMPLETED"}, 422, "status_unknown"),
        ({"status": "saving", "progress": 101}, 422, "progress_out_of_range"),
        ({"job_id": "other"}, 409, "job_id_mismatch"),
        ({"job_id": None}, 422, "string_type"),
    ],
)
async def test_a_webhook_that_breaks_the_contract_changes_nothing(
    product: Product, change: dict[str, Any], status: int, code: str
) -> None:
    job_id, _ = await waiting_job(product)
    answer = await product.backend_says("image", about(golden("e1_completed"), job_id) | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await product.statuses([job_id]))[job_id] == "PENDING"
