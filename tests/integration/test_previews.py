"""Unfinished pictures: seen live by whoever asked for them, decoded before anybody sees them, gone at the end."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from tests.support.product import Frame, Person, Product, frames
from tests.support.running import Painters


@pytest.fixture
async def waiting_painter(painters: Painters) -> AsyncIterator[Painters]:
    """A painter who shows unfinished pictures and waits for a word before it finishes."""
    picture = io.BytesIO()
    Image.effect_noise((900, 600), 60).convert("RGB").save(picture, "JPEG")
    painters.openai.unfinished = picture.getvalue()
    painters.openai.may_finish.clear()
    yield painters
    painters.openai.may_finish.set()
    painters.openai.unfinished = b"part"


async def watch(person: Person, job_id: str, seen: list[Frame]) -> None:
    async with person.http.stream("GET", f"/api/jobs/{job_id}/events") as answer:
        async for frame in frames(answer):
            seen.append(frame)


async def test_an_unfinished_picture_is_seen_while_the_job_runs_and_gone_when_it_ends(
    product: Product, waiting_painter: Painters
) -> None:
    person = product.person()
    job_id = await person.ask(model="gpt-image-2")
    seen: list[Frame] = []
    watching = asyncio.create_task(watch(person, job_id, seen))
    await product.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND preview->>'key' LIKE '%_2.webp'", job_id)
    status = await person.status(job_id)
    address = status["preview_url"]
    shown = await person.http.get(address, follow_redirects=True, headers={"Authorization": ""})
    assert shown.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(shown.content)).size == (640, 427)
    async with person.http.stream("GET", "/api/events") as answer:
        snapshot = await anext(frames(answer))
    assert [job["preview_url"] for job in snapshot.data["jobs"]] == [address]
    waiting_painter.openai.may_finish.set()
    await asyncio.wait_for(watching, 30)
    assert seen[-1].data["status"] == "COMPLETED", seen[-1].data
    told = [frame.data["preview_url"] for frame in seen if frame.data["preview_url"]]
    assert told
    assert told[-1] == address
    assert (await person.status(job_id))["preview_url"] is None
    assert (await person.http.get(address)).status_code == 404
    async with asyncio.timeout(40):
        while await product.object_keys(f"images/{job_id}/previews/"):  # noqa: ASYNC110 - the bucket tells nobody
            await asyncio.sleep(0.05)


async def test_bytes_that_are_no_picture_are_shown_to_nobody_and_cost_the_job_nothing(
    product: Product, waiting_painter: Painters
) -> None:
    waiting_painter.openai.unfinished = b"<svg onload=alert(1)>"
    waiting_painter.openai.may_finish.set()
    person = product.person()
    ended = await person.ended(await person.ask(model="gpt-image-2"))
    assert ended[-1].data["status"] == "COMPLETED", ended[-1].data
    assert [frame.data["preview_url"] for frame in ended if frame.data["preview_url"]] == []
