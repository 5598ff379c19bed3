"""The procedural provider on one core, and how fast films of 12 MB are stored against the client alone."""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.events import JobRequested
from contracts.ids import new_id
from services.generator.providers.base import Medium, Order
from services.generator.providers.procedural.provider import MODEL, ProceduralProvider
from services.generator.render_pool import RenderPool
from services.generator.store.leases import Claim
from services.generator.usecases.store_media import StoreMedia
from services.generator.usecases.tell_origin import TellOrigin
from services.runtime.objects import Objects, open_objects
from services.runtime.settings import ObjectSettings
from sorami.local.stack import Stack
from tests.bench.plan import Plan
from tests.bench.report import Row
from tests.bench.running import Measured, Values, interleave

FILMS = 8
FILM_BYTES = 12_000_000
OBJECT_SETTINGS = ("S3_ENDPOINT_URL", "S3_BUCKET", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
PROMPT = "Un chat roux sur un toit de Paris au coucher du soleil"


def _order(folder: Path, kind: str, width: int, height: int, seed: int) -> Order:
    form, seconds = ("MP4", 4.0) if kind == "video" else ("PNG", None)
    common = {"job_id": new_id(), "kind": kind, "prompt": PROMPT, "model": MODEL, "count": 1, "style": None}
    return Order(
        **common,  # type: ignore[arg-type]
        width=width,
        height=height,
        format=form,
        quality="standard",
        workdir=folder,
        seed=seed,
        duration_seconds=seconds,
        fps=24 if seconds else None,
    )


class Studio:
    """One render child on one core, warm."""

    def __init__(self, provider: ProceduralProvider) -> None:
        self._provider = provider
        self._seed = 0

    async def seconds(self, kind: str, width: int, height: int) -> float:
        """Return how long one takes."""
        self._seed += 1
        with tempfile.TemporaryDirectory(prefix="sorami-bench-") as folder:
            began = time.perf_counter()
            await self._provider.render(_order(Path(folder), kind, width, height, self._seed), lambda _: None)
            return time.perf_counter() - began

    async def measure(self) -> Values:
        return {"picture": await self.seconds("image", 1024, 1024), "film": await self.seconds("video", 1280, 720)}


def _claim(job_id: str) -> Claim:
    now = datetime.now(UTC)
    asked = JobRequested(
        job_id=job_id, kind="video", at=now, user_id="u", prompt=PROMPT, count=1, size="1280x720", format="MP4"
    )
    return Claim(job_id, "video", "u", "procedural", MODEL, asked, None, 1, 1, now, False, False, None)


async def _by_us(store: StoreMedia, films: Sequence[Path]) -> Values:
    """Store films as a generator does: told how they were made, hashed, and put."""
    began = time.perf_counter()
    media = [Medium(1, "MP4", "video/mp4", 1280, 720, path=film) for film in films]
    await asyncio.gather(*(store(_claim(new_id()), [medium], lease=1) for medium in media))
    return {"films": len(films) / (time.perf_counter() - began)}


async def _by_client(objects: Objects, films: Sequence[Path]) -> Values:
    """Put the same files by the client alone."""
    client, bucket = objects._client, objects._bucket  # the client alone is what is measured

    async def put(film: Path) -> None:
        await client.put_object(Bucket=bucket, Key=f"bench/{new_id()}.mp4", Body=film.read_bytes())

    began = time.perf_counter()
    await asyncio.gather(*(put(film) for film in films))
    return {"films": len(films) / (time.perf_counter() - began)}


async def run(plan: Plan) -> list[Row]:
    core = min(os.sched_getaffinity(0))
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        provider = ProceduralProvider(RenderPool(1))
        studio = Studio(provider)
        await studio.measure()
        drawn = await interleave({"one": studio.measure}, rounds=plan.rounds)
        await provider.close()
    finally:
        os.sched_setaffinity(0, everywhere)
    with tempfile.TemporaryDirectory(prefix="sorami-bench-") as folder:
        Path(folder).chmod(0o711)
        films = [Path(folder) / f"film_{number}.mp4" for number in range(FILMS)]
        for film in films:
            film.write_bytes(os.urandom(FILM_BYTES))
        async with Stack(Path(folder) / "home", servers=("s3",), discard=True) as stack:
            given: dict[str, Any] = {name.lower(): stack.env[name] for name in OBJECT_SETTINGS}
            stored = await _store(films, ObjectSettings(**given), plan)

    def row(figure: str, unit: str, found: Measured, what: str, goal: float | None = None) -> Row:
        return Row("procedural", figure, unit, found.of(what), goal, False, found.foreign)

    times = stored.ratio("us.films", "client.films")
    return [
        row("a picture of 1024 x 1024 on one core", "s", drawn, "one.picture", 0.5),
        row("a film of 4 s at 720p on one core", "s", drawn, "one.film", 4),
        row("films of 12 MB stored", "/s", stored, "us.films"),
        Row("procedural", "films of 12 MB stored, to the client alone", "x", times, 0.7, foreign=stored.foreign),
    ]


async def _store(films: Sequence[Path], settings: ObjectSettings, plan: Plan) -> Measured:
    async with open_objects(settings) as objects:
        store = StoreMedia(objects, TellOrigin("origin"))
        sides = {"us": lambda: _by_us(store, films), "client": lambda: _by_client(objects, films)}
        return await interleave(sides, rounds=plan.rounds)
