"""Advance jobs by a batch of reports: rows, files, notifications, job events and job.updated in one transaction."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from contracts.cloudevents import Record, to_record
from contracts.events import (
    CompletedFile,
    JobCompleted,
    JobFailed,
    JobProgressed,
    JobUpdated,
    NotificationCreated,
    PublishedFile,
    PublishedThumbnail,
)
from contracts.failures import Failure
from contracts.ids import new_id, new_token
from contracts.kinds import KINDS
from contracts.legacy_steps import Steps
from contracts.legacy_webhook import BACKEND
from contracts.media import incoming_prefix, media_path, object_prefix, poster_key, thumbnail_name
from contracts.notifications import notice_for
from contracts.provider_settings import EXTERNAL
from contracts.status import Completed, Failed, JobState, JobStatus, Moved, Progressed, Report, reduce
from services.persistence.metrics import count_completed, count_ended
from services.persistence.store.moves import (
    FileRow,
    Job,
    JobEventRow,
    JobRow,
    Lease,
    leases,
    lock_jobs,
    take_numbers,
    write_moves,
)
from services.persistence.store.notices import NotificationRow
from services.persistence.store.purges import tombstones
from services.runtime.consumer import DeadLetter, Incoming
from services.runtime.database import Pool, transaction
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger
from services.runtime.outbox import OutboxRow

_log = get_logger(part="advance")

ReportEvent = JobProgressed | JobCompleted | JobFailed


@dataclass(slots=True)
class Advance:
    """What a batch has decided about one job: where it ends, and each move on the way."""

    job: Job
    state: JobState
    moves: list["Move"] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    lease: Lease | None = None
    """For a worker of others: how far our own generator is, which examines the media and ends the task."""

    def take(self, event: ReportEvent, public_url: str) -> None:
        """Apply a report; one that may not move the job changes nothing."""
        if self._is_only_said(event):
            return
        decision = reduce(self.state, _as_report(event))
        if not isinstance(decision, Moved):
            _log.debug("a report changes nothing", job_id=self.job.id, why=decision.value, type=type(event).__name__)
            return
        self.state = decision.state
        self.moves.append(Move(decision.state, event, self._preview(event, public_url)))

    def _is_only_said(self, event: ReportEvent) -> bool:
        """Tell whether this is a worker's own word where only our generator's counts: on the end, and on leases."""
        if self.lease is None:
            return False
        if event.fence > self.lease.fence:
            return True  # there is no such lease
        if isinstance(event, JobCompleted):
            return not (self.lease.finished and event.fence == self.lease.fence > 0)
        return isinstance(event, JobFailed) and event.fence == 0 and event.provider == self.job.provider

    def _preview(self, event: ReportEvent, public_url: str) -> dict[str, str] | None:
        """Return the preview after a report: the address stays, with another name for each picture."""
        before = self.moves[-1].preview if self.moves else self.job.preview
        if not isinstance(event, JobProgressed):
            return None
        if event.preview_key is None:
            return before
        token = before["token"] if before else new_token()
        url = public_url + media_path(token, event.preview_key.rpartition("/")[2])
        return {"key": event.preview_key, "token": token, "url": url}


@dataclass(frozen=True, slots=True)
class Move:
    """Where a report moved its job to."""

    state: JobState
    event: ReportEvent
    preview: dict[str, str] | None


def _log_as_the_seeds_do(advance: Advance) -> None:
    """Say what a backend's completion became, where its rows are written."""
    last, job = advance.moves[-1].event, advance.job
    if not isinstance(last, JobCompleted) or last.provider != BACKEND:
        return
    steps = Steps(KINDS[job.kind])
    _log.info(steps.creating_files, job_id=job.id)
    _log.info(steps.files_created, generationId=job.id, **{steps.files_count_field: len(advance.files)})
    _log.info(steps.notified(job.owner_id), job_id=job.id)


def _as_report(event: ReportEvent) -> Report:
    match event:
        case JobProgressed():
            return Progressed(event.stage, event.progress, event.fence)
        case JobCompleted():
            return Completed(event.fence)
        case JobFailed():
            return Failed(event.failure.code, event.fence)


class AdvanceJobs:
    """The only way a job moves."""

    def __init__(
        self,
        pool: Pool,
        offer: Callable[[Sequence[OutboxRow]], None],
        bury: Callable[[Sequence[DeadLetter]], Awaitable[None]],
        *,
        public_url: str,
    ) -> None:
        self._pool = pool
        self._offer = offer
        self._bury = bury
        self._public_url = public_url.rstrip("/")

    async def on_records(self, batch: Sequence[Incoming]) -> None:
        """Advance by records; those that report on no job of ours become dead letters."""
        foreign = [one for one in batch if _names_foreign_objects(one.event)]
        if foreign:
            detail = "an object it names is not one of its own job"
            await self._bury([DeadLetter(one.record, "foreign_object", detail) for one in foreign])
            batch = [one for one in batch if one not in foreign]
        unknown = await self([one.event for one in batch], [one.record.headers.get("traceparent") for one in batch])
        # A late report on what was removed for good is neither an error nor to be kept.
        gone = await tombstones(self._pool, {batch[place].event.job_id for place in unknown}) if unknown else set()
        letters = [
            DeadLetter(batch[place].record, "unknown_job", "no job of this id and kind exists")
            for place in unknown
            if batch[place].event.job_id not in gone
        ]
        if letters:
            _log.warning("reports on unknown jobs", count=len(letters))
            await self._bury(letters)

    async def __call__(self, events: Sequence[ReportEvent], traces: Sequence[str | None]) -> list[int]:
        """Advance by events and return the places of those whose job is unknown."""
        async with transaction(self._pool) as connection:
            jobs = await lock_jobs(connection, {event.job_id for event in events})
            elsewhere = [job.id for job in jobs if (job.provider or "").startswith(EXTERNAL)]
            known = dict.fromkeys(elsewhere, Lease()) | (await leases(connection, elsewhere) if elsewhere else {})
            advances = {job.id: Advance(job, job.state, lease=known.get(job.id)) for job in jobs}
            unknown: list[int] = []
            trace_of: dict[str, str | None] = {}
            for place, (event, trace) in enumerate(zip(events, traces, strict=True)):
                advance = advances.get(event.job_id)
                if advance is None or advance.job.kind != event.kind:
                    unknown.append(place)
                    continue
                advance.take(event, self._public_url)
                trace_of[event.job_id] = trace or trace_of.get(event.job_id)
            moved = [advance for advance in advances.values() if advance.moves]
            if not moved:
                return unknown
            counts: Counter[str] = Counter()
            for advance in moved:
                counts[advance.job.owner_id] += len(advance.moves)
            numbers = await take_numbers(connection, counts)
            rows = self._rows(moved, numbers, trace_of)
            sent = await write_moves(connection, rows)
            reach("per.before_commit")
        reach("per.after_commit")
        for advance in moved:
            _count(advance)
        self._offer(sent)
        for advance in moved:
            _log_as_the_seeds_do(advance)
        return unknown

    def _rows(self, moved: Sequence[Advance], numbers: Mapping[str, int], traces: Mapping[str, str | None]) -> "Rows":
        rows = Rows()
        next_number = dict(numbers)
        now = datetime.now(UTC)
        for advance in moved:
            last = advance.moves[-1].event
            rows.jobs.append(_job_row(advance, last))
            if isinstance(last, JobCompleted):
                advance.files = [self._file_row(advance.job, file, last) for file in last.files]
                rows.files += advance.files
            trace = traces.get(advance.job.id)
            for move in advance.moves:
                state = move.state
                n = next_number[advance.job.owner_id]
                next_number[advance.job.owner_id] = n + 1
                updated = self._updated(advance, move, n, now)
                record = to_record(updated, service="persistence", traceparent=trace)
                rows.events.append(
                    JobEventRow(advance.job.id, state.seq, advance.job.owner_id, n, record.value.decode())
                )
                rows.records.append(record)
            self._notify(rows, advance, last, now, trace)
        return rows

    def _notify(self, rows: "Rows", advance: Advance, last: ReportEvent, now: datetime, trace: str | None) -> None:
        job = advance.job
        failure = last.failure if isinstance(last, JobFailed) else None
        notice = notice_for(KINDS[job.kind], advance.state.status, len(advance.files), failure)
        if notice is None:
            return
        metadata = {"generationId": job.id}
        if job.origin == "backend-direct":
            metadata["source"] = job.origin
        row = NotificationRow(new_id(), job.owner_id, notice.type, notice.title, notice.message, metadata)
        rows.notifications.append(row)
        event = NotificationCreated(
            job_id=job.id,
            kind=job.kind,
            at=now,
            notification_id=row.id,
            user_id=job.owner_id,
            type=notice.type,
            title=notice.title,
            message=notice.message,
        )
        rows.records.append(to_record(event, service="persistence", traceparent=trace))

    def _file_row(self, job: Job, file: CompletedFile, event: JobCompleted) -> FileRow:
        token = new_token()
        ours = file.url is None
        poster = poster_key(file.filename) if file.thumbnail_key else None
        thumbnail = self._public_url + media_path(token, poster) if poster else file.thumbnail_url
        return FileRow(
            id=new_id(),
            job_id=job.id,
            kind=job.kind,
            index=file.index,
            token=token,
            storage_key=file.storage_key if ours else None,
            external_url=file.url,
            s3_key=file.storage_key or file.filename,
            file_url=self._public_url + media_path(token, file.filename) if file.url is None else file.url,
            filename=file.filename,
            content_type=file.content_type,
            format=file.format.upper(),
            size_bytes=file.size_bytes,
            width=file.width,
            height=file.height,
            duration_seconds=file.duration_seconds,
            fps=file.fps,
            sha256=file.sha256,
            description=file.description,
            thumbnail_key=file.thumbnail_key,
            thumbnail_url=thumbnail,
            thumbnails=[
                {"width": small.width, "height": small.height, "format": small.format, "key": small.storage_key}
                for small in file.thumbnails
            ]
            or None,
            placeholder=file.placeholder,
            model=event.metadata.get("model_name"),
            generation_time=event.metadata.get("generation_time_seconds"),
        )

    def _updated(self, advance: Advance, move: Move, n: int, now: datetime) -> JobUpdated:
        state, event = move.state, move.event
        completed = isinstance(event, JobCompleted)
        return JobUpdated(
            job_id=advance.job.id,
            kind=advance.job.kind,
            at=now,
            user_id=advance.job.owner_id,
            organization_id=advance.job.organization_id,
            seq=state.seq,
            n=n,
            status=state.status,
            stage=state.stage,
            progress=state.progress,
            message=event.message if isinstance(event, JobProgressed) else None,
            failure=event.failure if isinstance(event, JobFailed) else None,
            provider=event.provider,
            preview_url=move.preview["url"] if move.preview else None,
            files=[self._published(file) for file in advance.files] if completed else [],
            metadata=event.metadata if isinstance(event, JobCompleted) else None,
            created_at=advance.job.created_at,
        )

    def _published(self, file: FileRow) -> PublishedFile:
        return PublishedFile(
            id=file.id,
            index=file.index,
            url=file.file_url,
            filename=file.filename,
            format=file.format,
            content_type=file.content_type,
            size_bytes=file.size_bytes,
            width=file.width,
            height=file.height,
            duration_seconds=file.duration_seconds,
            fps=file.fps,
            thumbnail_url=file.thumbnail_url,
            thumbnails=[
                PublishedThumbnail(
                    width=small["width"],
                    height=small["height"],
                    format=small["format"],
                    url=self._public_url + media_path(file.token, thumbnail_name(small["width"], small["format"])),
                )
                for small in file.thumbnails or ()
            ],
            placeholder=file.placeholder,
        )


def _count(advance: Advance) -> None:
    job, last = advance.job, advance.moves[-1].event
    if isinstance(last, JobCompleted):
        count_completed(job.kind, created_at=job.created_at, now=datetime.now(UTC), files=len(advance.files))
    elif isinstance(last, JobFailed):
        count_ended(job.kind, advance.state.status.value, last.failure.code)


@dataclass(slots=True)
class Rows:
    """All that one transaction writes."""

    jobs: list[JobRow] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    notifications: list[NotificationRow] = field(default_factory=list)
    events: list[JobEventRow] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


def _names_foreign_objects(event: ReportEvent) -> bool:
    """Tell whether a report names an object beside its job's own folders; what is named here is signed for people."""
    if event.kind not in KINDS:
        return False
    own = (object_prefix(KINDS[event.kind], event.job_id), incoming_prefix(event.job_id))
    keys: list[str | None] = []
    if isinstance(event, JobProgressed):
        keys.append(event.preview_key)
    if isinstance(event, JobCompleted):
        for file in event.files:
            # A backend's file has an address of its own; its key is not ours to sign.
            keys += [file.storage_key if file.url is None else None, file.thumbnail_key]
            keys += [small.storage_key for small in file.thumbnails]
    return any(key is not None and not (key.startswith(own) and ".." not in key) for key in keys)


def _job_row(advance: Advance, last: ReportEvent) -> JobRow:
    state = advance.state
    failure: Failure | None = last.failure if isinstance(last, JobFailed) else None
    metadata: dict[str, Any] | None = last.metadata if isinstance(last, JobCompleted) else None
    return JobRow(
        id=advance.job.id,
        kind=advance.job.kind,
        status=state.status,
        stage=state.stage,
        progress=state.progress,
        seq=state.seq,
        fence=state.fence,
        message=last.message if isinstance(last, JobProgressed) else None,
        failure=failure.model_dump_json() if failure else None,
        metadata=metadata,
        preview=advance.moves[-1].preview,
        # Another model may have taken over from the one that was asked for.
        provider=last.provider if isinstance(last, JobCompleted) and last.model else None,
        model=last.model if isinstance(last, JobCompleted) else None,
        ended=state.status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED),
    )
