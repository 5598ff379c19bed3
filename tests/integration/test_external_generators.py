"""Generators outside of the product: heard on topics, uploading, supervised, and never simply believed."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from services.generator.providers.instant import instant_png
from tests.support.product import Product
from tests.support.workers import Puppet, generator_key, sample


@pytest.fixture(scope="module")
async def clumsy(product: Product) -> AsyncIterator[Puppet]:
    async with Puppet(product, "clumsy", await generator_key(product)) as puppet:
        yield puppet


async def dead_letter(product: Product, job_id: str) -> str:
    row = await product.until("SELECT reason FROM sorami.dead_letters WHERE key = $1", job_id)
    return str(row["reason"])


async def test_the_sample_renders_a_job_to_its_end_and_hears_a_cancel(product: Product) -> None:
    person = product.person()
    models = {model["id"]: model for model in (await person.http.get("/api/models")).json()["models"]}
    assert models["painter-1"]["provider"] == "external:painter"
    async with sample(product) as running:
        job_id = await person.ask(model="painter-1", size="512x512", num_images=2)
        ended = await person.ended(job_id)
        assert ended[-1].data["status"] == "COMPLETED", ended[-1].data["failure"]
        images = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"]
        assert [(image["width"], image["format"]) for image in images] == [(512, "PNG"), (512, "PNG")]
        assert images[0]["thumbnails"]
        served = await person.http.get(images[0]["fileUrl"], follow_redirects=True)
        assert Image.open(io.BytesIO(served.content)).size == (512, 512)
        row = await product.until(
            "SELECT provider, outcome FROM sorami.operations WHERE job_id = $1 AND closed_at IS NOT NULL", job_id
        )
        assert tuple(row) == ("external:painter", "completed")
        assert await product.rows("SELECT reason FROM sorami.dead_letters WHERE key = $1", job_id) == []
        unwanted = await person.ask(model="painter-1", quality="high")
        await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND progress >= 30", unwanted)
        assert (await person.http.post(f"/api/jobs/{unwanted}/cancel")).status_code == 202
        assert (await person.ended(unwanted))[-1].data["status"] == "CANCELLED"
        await running.says(f"cancelled {unwanted}")
    async with asyncio.timeout(10):
        while await product.object_keys(f"incoming/{job_id}/"):  # noqa: ASYNC110 - the bucket tells nobody
            await asyncio.sleep(0.1)


async def test_a_worker_that_never_comes_and_one_that_falls_silent_end_their_jobs_for_that_reason(
    product: Product,
) -> None:
    person = product.person()
    unheard, silent = await asyncio.gather(*(person.ask(model="silent-1") for _ in range(2)))
    async with Puppet(product, "silent", await generator_key(product)) as puppet:
        await puppet.says("job.progress", silent, stage="generating", progress=40)
        failure = (await person.ended(silent))[-1].data["failure"]
        assert (failure["code"], failure["reason"], failure["charged"]) == ("timeout", "worker_silent", "unknown")
        failure = (await person.ended(unheard))[-1].data["failure"]
        assert (failure["code"], failure["retryable"], failure["charged"]) == ("no_worker", True, "no")
        # What comes after the end changes nothing.
        await puppet.says("job.progress", silent, stage="saving", progress=90)
        answer = await puppet.http.post(
            "/api/generators/uploads",
            json={"job_id": silent, "content_type": "image/png", "size_bytes": 9, "sha256": "0" * 64},
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "job_already_finished")
    assert len(await product.rows("SELECT 1 FROM sorami.operations WHERE job_id = $1", unheard)) == 1


async def test_an_object_of_somebody_else_is_never_taken_for_a_result(product: Product, clumsy: Puppet) -> None:
    person = product.person()
    theirs = await person.ask()
    await person.ended(theirs)
    for key in (f"images/{theirs}/image_1.png", f"incoming/{theirs}/{'0' * 64}", f"incoming/../{'0' * 64}"):
        job_id = await person.ask(model="clumsy-1")
        await clumsy.completes(job_id, key)
        assert await dead_letter(product, job_id) == "foreign_object"
        assert (await person.status(job_id))["status"] == "PENDING"
    # Without a provider's name, and under a made-up lease, it is nobody's word.
    for more in ({"provider": None}, {"fence": 7}, {"fence": 7, "provider": None}):
        await clumsy.completes(job_id, f"images/{job_id}/image_1.png", **more)
    # A lease that nobody has would make every later report of our own look stale.
    await clumsy.says("job.progress", job_id, stage="generating", progress=40, fence=7)
    await clumsy.says("job.progress", job_id, stage="generating", progress=50)
    row = await product.until("SELECT fence FROM sorami.jobs WHERE id = $1 AND progress = 50", job_id)
    assert row["fence"] < 7
    assert await product.rows("SELECT 1 FROM sorami.files WHERE job_id = $1", job_id) == []
    await clumsy.says("job.progress", job_id, stage="generating", progress=55, preview_key="uploads/a/b")
    await product.until("SELECT 1 FROM sorami.dead_letters WHERE key = $1 AND topic = 'job.progress'", job_id)
    # Nor may a worker report on what another provider renders.
    job_id = await person.ask(model="silent-1")
    await clumsy.says("job.failed", job_id, failure={"code": "quota", "message": "none of its business"})
    assert await dead_letter(product, job_id) == "foreign_job"


@pytest.mark.parametrize(
    ("body", "sent", "reason"),
    [
        (b"<!doctype html><html>not a picture</html>", None, None),
        (instant_png("cut off")[:-20], None, None),
        (instant_png("whole"), b"", "upload_missing"),
        (instant_png("announced"), instant_png("something else"), "upload_missing"),
    ],
    ids=["a web page", "cut off", "never sent", "other bytes"],
)
async def test_what_a_worker_uploads_is_examined_before_its_job_is_done(
    product: Product, clumsy: Puppet, body: bytes, sent: bytes | None, reason: str | None
) -> None:
    person = product.person()
    job_id = await person.ask(model="clumsy-1")
    key = await clumsy.uploads(job_id, body, sent=b"x" if sent == b"" else sent)
    await clumsy.completes(job_id, key)
    last = (await person.ended(job_id))[-1].data
    assert (last["status"], last["failure"]["code"]) == ("FAILED", "provider_error")
    assert last["failure"]["reason"] == reason
    assert await product.object_keys(f"images/{job_id}/") == []


async def test_a_report_that_comes_before_our_own_task_is_kept_and_more_files_than_asked_are_refused(
    product: Product, clumsy: Puppet
) -> None:
    person = product.person()
    job_id = await person.ask(model="clumsy-1")
    key = await clumsy.uploads(job_id, instant_png("early"))
    # The first word counts: what is told again, or otherwise, changes nothing.
    await asyncio.gather(*(clumsy.completes(job_id, key) for _ in range(3)))
    # Topics keep no order among one another: the other word must really come later.
    await product.until("SELECT 1 FROM sorami.worker_reports WHERE job_id = $1 AND topic = 'job.completed'", job_id)
    await clumsy.says("job.failed", job_id, failure={"code": "quota", "message": "too late"})
    assert (await person.ended(job_id))[-1].data["status"] == "COMPLETED"
    job_id = await person.ask(model="clumsy-1")
    key = await clumsy.uploads(job_id, instant_png("twice"))
    await clumsy.completes(job_id, key, key)
    assert (await person.ended(job_id))[-1].data["failure"]["reason"] == "too_many_files"


async def test_only_a_key_that_may_generate_uploads_and_only_for_jobs_of_workers(
    product: Product, clumsy: Puppet
) -> None:
    person = product.person()
    own = await person.ask()
    wanted = {"job_id": own, "content_type": "image/png", "size_bytes": 9, "sha256": "0" * 64}
    assert (await person.http.post("/api/generators/uploads", json=wanted)).status_code == 403
    made = await person.http.post("/api/keys", json={"name": "mine", "scopes": ["generate"]})
    assert (made.status_code, made.json()["code"]) == (403, "scopes_beyond_own")
    assert (await clumsy.http.post("/api/generators/uploads", json=wanted)).status_code == 404
    wanted["job_id"] = await person.ask(model="clumsy-1")
    for field, value, code in (
        ("content_type", "video/mp4", "content_type_not_allowed"),
        ("size_bytes", 65 * 1024 * 1024, "size_bytes_out_of_range"),
        ("sha256", "xyz", "sha256_invalid"),
        ("job_id", "../etc", None),
    ):
        answer = await clumsy.http.post("/api/generators/uploads", json=wanted | {field: value})
        assert answer.status_code == (422 if code else 404), answer.text
        assert answer.json()["code"] == (code or "job_not_found")
