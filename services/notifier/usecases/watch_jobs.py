"""Watch jobs: what was missed from the rows, then what happens, each once and in order."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from contracts.events import as_utc
from contracts.kinds import KINDS, Kind
from contracts.messages import status_message
from contracts.status import TERMINAL, JobStatus, Stage
from services.notifier.channels.streams import Hub, Stream, Update, describe
from services.notifier.queries import streams as queries
from services.runtime.database import Pool

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 1_000
Frames = AsyncGenerator[bytes, None]


class WatchJobs:
    """Opens streams over the hub and the rows."""

    def __init__(self, pool: Pool, hub: Hub) -> None:
        self._pool = pool
        self._hub = hub

    async def of_user(self, user_id: str, last_id: int | None, language: str) -> Frames:
        """Stream all of a user's jobs: a snapshot of the open ones, or what came after `last_id`; then every move."""
        stream = self._hub.open(user_id, None)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            last = last_id
            if last is not None:
                number, oldest = await queries.number_and_oldest(self._pool, user_id)
                # An id of the future, or one whose successors are not kept any more, cannot be continued.
                if last > number or (last < number and (oldest is None or oldest > last + 1)):
                    last = None
                else:
                    async for update in self._missed(user_id, last, number):
                        last = update.n
                        yield update.frame(language)
            if last is None:
                last, jobs = await queries.snapshot(self._pool, user_id)
                yield _snapshot(last, jobs, language)
            async for heard in self._live(stream):
                if heard is None:
                    yield b": still here\n\n"
                    continue
                async for one in self._in_order(user_id, last, heard):
                    last = one.n
                    yield one.frame(language)
        finally:
            self._hub.close_stream(stream)

    async def of_job(self, user_id: str, job_id: str, last_id: int | None, language: str) -> Frames:
        """Stream one job from its first move, or from `last_id`, to its end."""
        stream = self._hub.open(user_id, job_id)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            last, seq = last_id or 0, 0
            for event in await queries.events_of_job(self._pool, job_id, last):
                last, seq = event.n, event.seq
                yield Update(event).frame(language)
                if event.status in TERMINAL:
                    return
            async for update in self._live(stream):
                if update is None:
                    yield b": still here\n\n"
                    continue
                if update.n <= last:
                    continue
                for one in await self._up_to(update, job_id, last, seq):
                    last, seq = one.n, one.event.seq
                    yield one.frame(language)
                    if one.event.status in TERMINAL:
                        return
        finally:
            self._hub.close_stream(stream)

    async def job(self, kind: Kind | None, job_id: str, owner_id: str) -> dict[str, Any] | None:
        """Return where the owner's job, of this kind or of any, stands; None when there is none."""
        return await queries.job_of(self._pool, kind.name if kind else None, job_id, owner_id)

    async def page_of_user(self, user_id: str, after: int, limit: int, language: str) -> dict[str, Any]:
        """Return a page of a user's moves after a number; `gap` when some before it are kept no more."""
        number, oldest = await queries.number_and_oldest(self._pool, user_id)
        events = (await queries.events_of_user(self._pool, user_id, after, number))[:limit]
        last = events[-1].n if events else max(after, 0)
        return {
            "events": [{"n": event.n, **describe(event, language)} for event in events],
            "next_after": last,
            "more": last < number and bool(events),
            "gap": after < number and (oldest is None or oldest > after + 1),
        }

    async def is_over(self, job_id: str, last_id: int) -> bool:
        """Tell whether whoever saw `last_id` has seen the job's end."""
        return not await queries.events_of_job(self._pool, job_id, last_id)

    async def _live(self, stream: Stream) -> AsyncIterator[Update | None]:
        """Yield updates, and None whenever the line has been silent; ends when the stream is ended."""
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    update = await stream.queue.get()
            except TimeoutError:
                yield None
                continue
            if update is None:
                return
            yield update

    async def _up_to(self, update: Update, job_id: str, last: int, seq: int) -> list[Update]:
        if update.event.seq == seq + 1:
            return [update]
        return [Update(event) for event in await queries.events_of_job(self._pool, job_id, last)]

    async def _in_order(self, user_id: str, last: int, update: Update) -> AsyncIterator[Update]:
        if update.n <= last:
            return
        if update.n > last + 1:
            # Numbers are given in commit order, so what lies between is in the rows already.
            async for missed in self._missed(user_id, last, update.n):
                yield missed
            return
        yield update

    async def _missed(self, user_id: str, after: int, until: int) -> AsyncIterator[Update]:
        while after < until:
            events = await queries.events_of_user(self._pool, user_id, after, until)
            if not events:
                return
            for event in events:
                yield Update(event)
            after = events[-1].n


def _snapshot(number: int, jobs: list[dict[str, Any]], language: str) -> bytes:
    shown = [describe_row(job, language) for job in jobs]
    body = json.dumps({"jobs": shown}, ensure_ascii=False, separators=(",", ":"))
    return f"id: {number}\nevent: snapshot\ndata: {body}\n\n".encode()


def describe_row(job: dict[str, Any], language: str) -> dict[str, Any]:
    """Return a job's row in the words of the status route."""
    stage = Stage(job["stage"]) if job["stage"] else None
    message = job["message"] or status_message(KINDS[job["kind"]], JobStatus(job["status"]), stage, language)
    return {
        "job_id": job["job_id"],
        "kind": job["kind"],
        "status": job["status"],
        "stage": job["stage"],
        "progress": job["progress"],
        "message": message,
        "seq": job["seq"],
        "preview_url": job["preview_url"],
        "prompt": job["prompt"],
        "created_at": as_utc(job["created_at"]),
    }
