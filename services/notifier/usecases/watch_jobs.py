"""Watch jobs: what was missed from the rows, then what happens, each once and in order."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from contracts.events import JobUpdated, as_utc
from contracts.kinds import KINDS, Kind
from contracts.messages import status_message
from contracts.status import TERMINAL, JobStatus, Stage
from services.notifier.channels.streams import Hub, Stream, Update, describe
from services.notifier.queries import streams as queries
from services.runtime.database import Pool, is_transient

HEARTBEAT = b": still here\n\n"
RETRY_MS = 1_000
Frames = AsyncGenerator[bytes, None]


class _Jobs:
    """The jobs of a batch, and which of them have not ended as far as a stream has told."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._all = {row["job_id"] for row in rows}
        self.open = {row["job_id"] for row in rows if JobStatus(row["status"]) not in TERMINAL}

    def follow(self, event: JobUpdated) -> bool:
        """Note a move; False when it is another job's."""
        if event.status in TERMINAL:
            self.open.discard(event.job_id)
        return event.job_id in self._all


class WatchJobs:
    """Opens streams over the hub and the rows."""

    def __init__(self, pool: Pool, hub: Hub) -> None:
        self._pool = pool
        self._hub = hub

    def of_user(self, user_id: str, last_id: int | None, language: str) -> Frames:
        """Stream all of a user's jobs: a snapshot of the open ones, or what came after `last_id`; then every move."""
        return self._of_many(user_id, None, last_id, language)

    def of_batch(self, user_id: str, batch_id: str, last_id: int | None, language: str) -> Frames:
        """Stream the jobs of a batch: a snapshot of them all, or what came after `last_id`; then every move.

        Ends with the last of them.
        """
        return self._of_many(user_id, batch_id, last_id, language)

    async def _of_many(self, user_id: str, batch_id: str | None, last_id: int | None, language: str) -> Frames:
        # A batch hears all of its owner's moves too: their numbers alone tell whether one is missing.
        stream = self._hub.open(user_id, None)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            jobs = None if batch_id is None else _Jobs(await queries.jobs_of_batch(self._pool, batch_id, user_id))
            number = await self._continued_until(user_id, last_id)
            last = last_id or 0
            if number is not None:
                async for update in self._missed(user_id, last, number):
                    last = update.n
                    if jobs is None or jobs.follow(update.event):
                        yield update.frame(language)
            else:
                last, rows = await queries.snapshot(self._pool, user_id, batch_id)
                jobs = None if batch_id is None else _Jobs(rows)
                yield _snapshot(last, rows, language)
            while jobs is None or jobs.open:
                taken = await stream.take()
                moves = taken if _continue(last, taken) else await self._whole(user_id, last, taken)
                if not taken and stream.lags_behind(last):
                    # Silence may also be a move that was never heard: the rows know.
                    moves = [missed async for missed in self._missed(user_id, last, stream.newest)]
                last = moves[-1].n if moves else last
                frames = [move.frame(language) for move in moves if jobs is None or jobs.follow(move.event)]
                if frames:
                    yield b"".join(frames)
                elif not taken and not moves:
                    yield stream.farewell if stream.ended else HEARTBEAT
                    if stream.ended:
                        return
        finally:
            self._hub.close_stream(stream)

    async def _continued_until(self, user_id: str, last_id: int | None) -> int | None:
        """Return the number up to which rows tell what came after `last_id`; None where it cannot be continued."""
        if last_id is None:
            return None
        number, oldest = await queries.number_and_oldest(self._pool, user_id)
        # An id of the future, or one whose successors are not kept any more.
        gone = last_id < number and (oldest is None or oldest > last_id + 1)
        return None if last_id > number or gone else number

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
            while True:
                taken = await stream.take() or await self._unheard(stream, job_id, last)
                if not taken:
                    yield stream.farewell if stream.ended else HEARTBEAT
                    if stream.ended:
                        return
                for update in taken:
                    if update.n <= last:
                        continue
                    for one in await self._up_to(update, job_id, last, seq):
                        last, seq = one.n, one.event.seq
                        yield one.frame(language)
                        if one.event.status in TERMINAL:
                            return
        finally:
            self._hub.close_stream(stream)

    async def newest(self, user_ids: Collection[str]) -> Mapping[str, int]:
        """Return how far the rows of these users are; nothing while the database is away."""
        try:
            return await queries.numbers(self._pool, user_ids)
        except Exception as error:
            if not is_transient(error):
                raise
            return {}

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

    async def batch_is_over(self, batch_id: str, owner_id: str, last_id: int | None) -> bool | None:
        """Tell whether whoever saw `last_id` has seen all of a batch; None when the owner has no such batch."""
        jobs = await queries.jobs_of_batch(self._pool, batch_id, owner_id)
        if not jobs and not await queries.is_batch_of(self._pool, batch_id, owner_id):
            return None
        if last_id is None or _Jobs(jobs).open:
            return False
        return not await queries.has_events_after(self._pool, [job["job_id"] for job in jobs], last_id)

    async def _unheard(self, stream: Stream, job_id: str, last: int) -> list[Update]:
        """Return the moves of a job that the rows have and nobody told."""
        if not stream.lags_behind(last):
            return []
        return [Update(event) for event in await queries.events_of_job(self._pool, job_id, last)]

    async def _up_to(self, update: Update, job_id: str, last: int, seq: int) -> list[Update]:
        if update.event.seq == seq + 1:
            return [update]
        return [Update(event) for event in await queries.events_of_job(self._pool, job_id, last)]

    async def _whole(self, user_id: str, last: int, taken: Sequence[Update]) -> list[Update]:
        """Return what was heard with what lies between, in the order of the numbers."""
        moves: list[Update] = []
        for heard in taken:
            async for one in self._in_order(user_id, last, heard):
                moves.append(one)
                last = one.n
        return moves

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


def _continue(last: int, taken: Sequence[Update]) -> bool:
    """Tell whether nothing is missing and nothing comes twice: so it is but for a few of thousands."""
    return all(update.n == number for number, update in enumerate(taken, last + 1))
