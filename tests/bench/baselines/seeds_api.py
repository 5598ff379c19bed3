"""The seeds' application in Python: FastAPI and asyncpg stand for Next.js and Prisma, which is kinder to it.

A request makes a row, calls the backend and is answered; the backend calls back, and clients ask every two seconds.
Run as `uvicorn tests.bench.baselines.seeds_api:app`.
"""

import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import asyncpg
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

BACKEND = os.environ["BACKEND_URL"]
SECRET = os.environ["WEBHOOK_SECRET"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS image_generations (
    id text PRIMARY KEY, prompt text NOT NULL, status text NOT NULL DEFAULT 'PENDING', progress int NOT NULL DEFAULT 0,
    "authorId" text NOT NULL, "createdAt" timestamp(3) NOT NULL DEFAULT now(), "completedAt" timestamp(3));
CREATE TABLE IF NOT EXISTS image_files (
    id text PRIMARY KEY, "generationId" text NOT NULL REFERENCES image_generations (id) ON DELETE CASCADE,
    filename text NOT NULL, "s3Key" text NOT NULL, "fileUrl" text NOT NULL, format text NOT NULL, "fileSize" int);
CREATE TABLE IF NOT EXISTS notifications (
    id text PRIMARY KEY, "userId" text NOT NULL, type text NOT NULL, title text NOT NULL, message text NOT NULL,
    metadata jsonb, "createdAt" timestamp(3) NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS image_generations_author ON image_generations ("authorId", "createdAt" DESC);
"""
_parts: dict[str, Any] = {}
_numbers = itertools.count()


class Wanted(BaseModel):
    prompt: str
    num_images: int = 1
    size: str = "1024x1024"
    format: str = "PNG"
    user_id: str = "user"


class Report(BaseModel):
    job_id: str
    status: str
    message: str | None = None
    progress: int | None = None
    data: dict[str, Any] | None = None


def _new_id() -> str:
    return f"c{time.time_ns():x}{next(_numbers):08x}"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with (
        asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8) as pool,
        aiohttp.ClientSession() as http,
    ):
        await pool.execute(SCHEMA)
        _parts.update(pool=pool, http=http)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/api/images/generate", status_code=202)
async def generate(wanted: Wanted) -> dict[str, Any]:
    job_id = _new_id()
    insert = 'INSERT INTO image_generations (id, prompt, "authorId") VALUES ($1, $2, $3)'
    await _parts["pool"].execute(insert, job_id, wanted.prompt, wanted.user_id)
    body = {**wanted.model_dump(), "job_id": job_id}
    async with _parts["http"].post(f"{BACKEND}/api/images/generate", json=body) as answer:
        answer.raise_for_status()
    return {"job_id": job_id, "status": "PENDING"}


@app.get("/api/images/{job_id}/status")
async def status(job_id: str) -> dict[str, Any]:
    row = await _parts["pool"].fetchrow("SELECT status, progress FROM image_generations WHERE id = $1", job_id)
    if row is None:
        raise HTTPException(404)
    return {"job_id": job_id, **row}


@app.post("/api/webhooks/image-completion")
async def completion(report: Report, x_webhook_secret: str = Header()) -> dict[str, bool]:
    if x_webhook_secret != SECRET:
        raise HTTPException(401)
    if report.status != "completed":
        update = "UPDATE image_generations SET status = 'GENERATING', progress = $2 WHERE id = $1"
        await _parts["pool"].execute(update, report.job_id, report.progress)
        return {"success": True}
    async with _parts["pool"].acquire() as connection, connection.transaction():
        owner = await connection.fetchval(
            "UPDATE image_generations SET status = 'COMPLETED', progress = 100, \"completedAt\" = now()"
            ' WHERE id = $1 RETURNING "authorId"',
            report.job_id,
        )
        for image in (report.data or {})["images"]:
            await connection.execute(
                'INSERT INTO image_files (id, "generationId", filename, "s3Key", "fileUrl", format, "fileSize")'
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                _new_id(),
                report.job_id,
                image["file_path"].rpartition("/")[2],
                image["file_path"],
                image["url"],
                image["format"],
                image["size_bytes"],
            )
        await connection.execute(
            'INSERT INTO notifications (id, "userId", type, title, message)'
            " VALUES ($1, $2, 'IMAGE_COMPLETED', 'Images générées', '1 image(s) créée(s).')",
            _new_id(),
            owner,
        )
    return {"success": True}
