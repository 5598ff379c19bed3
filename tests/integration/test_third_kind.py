"""A third kind of media is one declaration, one migration and one provider: it then works everywhere (seeds, A14)."""

import io
import json
import os
import wave
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from sorami.local.stack import Stack
from tests.support import third_kind
from tests.support.postgres import PostgresServer
from tests.support.product import SECRET, Person, Product
from tests.support.receiver import Receiver
from tests.support.third_kind.processes import COMMANDS, services

ROOT = Path(__file__).parents[2]
PREFIX = "thirdkind."


@pytest.fixture(scope="module")
async def sounds(
    product: Product, postgres: PostgresServer, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """The product where sounds are declared: its own database and topics, on servers that run already."""
    given = product.stack.env
    settings = {
        name: given[name]
        for name in (
            "KAFKA_BOOTSTRAP_SERVERS",
            "S3_ENDPOINT_URL",
            "S3_BUCKET",
            "S3_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        )
    }
    settings |= {
        "DATABASE_URL": postgres.database().url,
        "SORAMI_TOPIC_PREFIX": PREFIX,
        "SORAMI_FORGOTTEN_SECONDS": "4",
        "SORAMI_RESTORE_DAYS": "0",
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_URL": f"http://127.0.0.1:{receiver.port}/api/webhooks/image-completion",
        "PYTHONPATH": os.pathsep.join([str(Path(third_kind.__file__).parent), str(ROOT)]),
    }
    home = tmp_path_factory.mktemp("sounds")
    async with Stack(home, services=services(), commands=COMMANDS, settings=settings, discard=True) as stack:
        pool = await asyncpg.create_pool(stack.env["DATABASE_URL"], min_size=1, max_size=3)
        found = Product(stack, pool)
        yield found
        await found.close()


async def got(person: Person, path: str, status: int = 200) -> Any:
    answer = await person.http.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def made(person: Person, **body: Any) -> str:
    job_id = await person.ask("sound", **({"model": "hum"} | body))
    frames = await person.ended(job_id, "sound")
    assert frames[-1].data["status"] == "COMPLETED", frames[-1].data
    return job_id


async def test_a_sound_is_asked_for_watched_and_fetched(sounds: Product) -> None:
    person = sounds.person()
    answer = await person.http.post(
        "/api/sounds/generate", json={"prompt": "Un bourdonnement", "num_sounds": 2, "duration_seconds": 2}
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].startswith("/api/sounds/")
    job_id = answer.json()["job_id"]
    frames = await person.ended(job_id, "sound")
    assert [frame.data["progress"] for frame in frames] == sorted(frame.data["progress"] for frame in frames)
    assert frames[-1].data["status"] == "COMPLETED"
    status = await got(person, f"/api/sounds/{job_id}/status")
    assert (status["status"], status["progress"]) == ("COMPLETED", 100)
    job = await got(person, f"/api/jobs/{job_id}")
    assert (job["kind"], job["model"]) == ("sound", "hum")
    assert [one["job_id"] for one in (await got(person, "/api/jobs?kind=sound"))["jobs"]] == [job_id]
    (attempt,) = (await got(person, f"/api/jobs/{job_id}/attempts"))["attempts"]
    assert (attempt["provider"], attempt["outcome"]) == ("hum", "completed")

    result = await got(person, f"/api/sounds/{job_id}/result")
    assert [item["filename"] for item in result["sounds"]] == ["sound_1.wav", "sound_2.wav"]
    first = result["sounds"][0]
    assert (first["format"], first["width"], first["durationSeconds"]) == ("WAV", None, 2)
    async with httpx.AsyncClient(follow_redirects=True) as anybody:
        file = await anybody.get(first["fileUrl"])
    assert file.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(file.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == 2
    assert await sounds.object_keys(f"sounds/{job_id}/") == [
        f"sounds/{job_id}/sound_1.wav",
        f"sounds/{job_id}/sound_2.wav",
    ]


async def test_what_a_sound_cannot_be_is_refused_by_name(sounds: Product) -> None:
    person = sounds.person()
    for body, code in (
        ({"size": "512x512"}, "unknown_field"),
        ({"num_sounds": 4}, "num_sounds_out_of_range"),
        ({"format": "PNG"}, "format_unsupported"),
        ({"model": "instant"}, "model_unknown"),
    ):
        answer = await person.http.post("/api/sounds/generate", json={"prompt": "a"} | body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    models = {model["id"]: model for model in (await got(person, "/api/models"))["models"]}
    (ability,) = models["hum"]["abilities"]
    assert (models["hum"]["default_for"], ability["formats"], ability["sizes"]) == (["sound"], ["WAV"], [])
    document = await got(person, "/openapi.json")
    assert {"/api/sounds/generate", "/api/sounds/{job_id}/events"} <= document["paths"].keys()


async def test_a_sound_is_cancelled_fails_and_is_retried_like_any_other(sounds: Product) -> None:
    person = sounds.person()
    slow = await person.ask("sound", model="hum", prompt="hum slowly")
    await sounds.until("SELECT 1 FROM sorami.jobs WHERE id = $1 AND status = 'GENERATING'", slow)
    assert (await person.http.post(f"/api/sounds/{slow}/cancel")).status_code == 202
    assert (await person.ended(slow, "sound"))[-1].data["status"] == "CANCELLED"
    never = await person.ask("sound", model="hum", prompt="never hum")
    assert (await person.ended(never, "sound"))[-1].data["status"] == "FAILED"
    again = await person.http.post(f"/api/jobs/{never}/retry")
    assert (again.status_code, again.json()["retry_of"]) == (202, never)
    batch = await person.http.post(
        "/api/batches", json={"kind": "sound", "prompt": "a hum", "variations": 2, "model": "hum"}
    )
    assert (batch.status_code, len(batch.json()["jobs"])) == (202, 2)
    notices = (await got(person, "/api/notifications"))["notifications"]
    assert "SOUND_FAILED" in [notice["type"] for notice in notices]


async def test_a_sound_stands_in_gallery_search_albums_shares_and_zips(sounds: Product) -> None:
    person = sounds.person()
    job_id = await made(person, prompt="Une abeille bourdonne")
    mine = await got(person, "/api/sounds/user")
    assert [one["id"] for one in mine["generations"]] == [job_id]
    for question in ("", "?kind=sound", "?q=abeilles", "?kind=sound&q=bourdonne"):
        page = await got(person, f"/api/gallery{question}")
        assert [(one["id"], one["kind"]) for one in page["generations"]] == [(job_id, "sound")], question
    assert (await got(person, "/api/gallery?kind=image"))["generations"] == []
    assert (await got(person, f"/api/gallery/{job_id}"))["sounds"][0]["format"] == "WAV"
    assert (await person.http.put(f"/api/favourites/{job_id}")).status_code in (200, 201, 204)
    assert (await got(person, "/api/gallery?favourite=true"))["generations"][0]["id"] == job_id
    album = (await person.http.post("/api/albums", json={"name": "Sons", "items": [job_id]})).json()
    items = await got(person, f"/api/albums/{album['id']}/items")
    assert [(one["id"], one["kind"]) for one in items["generations"]] == [(job_id, "sound")]
    share = await person.http.post("/api/shares", json={"generation_id": job_id})
    assert share.status_code == 201, share.text
    async with httpx.AsyncClient(base_url=sounds.url) as anybody:
        shown = await anybody.get(share.json()["url"], headers={"Accept": "application/json"})
    assert shown.status_code == 200, shown.text
    packed = await person.http.get(f"/api/gallery/zip?ids={job_id}")
    names = zipfile.ZipFile(io.BytesIO(packed.content)).namelist()
    assert len(names) == 1
    assert names[0].endswith(".wav")
    notices = (await got(person, "/api/notifications"))["notifications"]
    assert [(one["type"], one["title"]) for one in notices] == [("SOUND_COMPLETED", "🎵 Sons générés avec succès")]
    english = await person.http.get("/api/notifications", headers={"Accept-Language": "en"})
    assert english.json()["notifications"][0]["message"] == "1 sound(s) made."


async def test_a_sound_goes_over_the_topics_and_the_seeds_webhook(sounds: Product, receiver: Receiver) -> None:
    person = sounds.person()
    topics = [f"{PREFIX}{name}" for name in ("job.requested", "job.completed", "job.updated")]
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=sounds.stack.env["KAFKA_BOOTSTRAP_SERVERS"], auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        job_id = await made(person)
        seen: dict[str, Any] = {}
        async for record in consumer:
            if record.key == job_id.encode():
                seen[record.topic] = json.loads(record.value)
            if len(seen) == len(topics) and seen[topics[2]]["status"] == "COMPLETED":
                break
    finally:
        await consumer.stop()
    assert {event["kind"] for event in seen.values()} == {"sound"}
    feed = await got(person, "/api/events?after=0")
    assert {event["kind"] for event in feed["events"]} == {"sound"}
    assert seen[topics[2]]["files"][0]["content_type"] == "audio/wav"
    call = await receiver.wait_for(job_id, "completed")
    assert call.path == "/api/webhooks/sound-completion"
    assert call.body["data"]["sounds"][0]["duration_seconds"] == 1


async def test_a_backend_reports_a_sound(sounds: Product) -> None:
    person = sounds.person()
    user_id = await person.user_id()
    item = {
        "filename": "sound_1.wav",
        "file_path": "sounds/backend-sound-1/sound_1.wav",
        "url": "https://backend.example/s.wav",
        "format": "WAV",
    }
    body = {
        "job_id": "backend-sound-1",
        "status": "completed",
        "user_id": user_id,
        "data": {"job_id": "backend-sound-1", "sounds": [item]},
    }
    answer = await sounds.backend_says("sound", body)
    assert answer.status_code == 200, answer.text
    await sounds.until("SELECT 1 FROM sorami.jobs WHERE id = 'backend-sound-1' AND status = 'COMPLETED'")
    result = await got(person, "/api/sounds/backend-sound-1/result")
    assert result["sounds"][0]["fileUrl"] == "https://backend.example/s.wav"


async def test_a_deleted_sound_is_gone_from_every_table_and_the_bucket(sounds: Product) -> None:
    person = sounds.person()
    job_id = await made(person)
    assert (await person.http.delete(f"/api/gallery/{job_id}")).status_code == 200
    await got(person, f"/api/sounds/{job_id}/status", 404)
    await sounds.until("SELECT 1 FROM sorami.deletions WHERE generation_id = $1 AND purged_at IS NOT NULL", job_id)
    assert await sounds.row("SELECT 1 FROM sound_generations WHERE id = $1", job_id) is None
    await sounds.until("SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.tasks WHERE job_id = $1)", job_id)
    assert await sounds.object_keys(f"sounds/{job_id}/") == []
