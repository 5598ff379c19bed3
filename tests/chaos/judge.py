"""The judge: after a scenario the twelve invariants of the fault matrix, held against rows, objects and what was heard.

A method an invariant, named as in `docs/operating/chaos.md`; each yields what is wrong in a sentence.
"""

import asyncio
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg

from contracts.kinds import KINDS
from services.generator.usecases.sweep_objects import Found, SweepObjects
from services.runtime.objects import ObjectMissing, Objects, open_objects
from services.runtime.settings import ObjectSettings
from sorami.local.secrets import load_or_make
from tests.chaos.load import Asked, Load
from tests.chaos.rig import Rig
from tests.support.product import SECRET, TERMINAL
from tests.support.providers.fake import KEY
from tests.support.receiver import Call
from tests.unit.notifier.test_signatures import own_verifier

SETTLES_WITHIN = 90.0
"""Seconds from the end of a scenario in which everything asked for must have ended and been told."""
MOST_BYTES = 64 * 1024 * 1024
OUTBOXES = tuple(f"sorami.outbox_{name}" for name in ("gateway", "persistence", "generator", "notifier"))
_WAITING = " + ".join(f"(SELECT count(*) FROM {table})" for table in OUTBOXES)

# What is still under way, by what it is; nothing when all is quiet. $1 jobs, $2 endpoints.
UNSETTLED = f"""
    SELECT count(*) FILTER (WHERE j.status IS NULL) AS lost_rows,
           count(*) FILTER (WHERE j.status IN ('PENDING', 'GENERATING')) AS open_jobs,
           count(*) FILTER (WHERE t.state IN ('queued', 'running', 'waiting')) AS open_tasks,
           count(*) FILTER (WHERE t.verdict IS NOT NULL AND t.settled_at IS NULL) AS unsettled_tasks,
           (SELECT count(*) FROM sorami.operations o WHERE o.job_id = ANY($1::text[]) AND o.closed_at IS NULL)
             AS open_operations,
           (SELECT count(*) FROM sorami.deliveries d WHERE d.endpoint = ANY($2::text[]) AND d.state = 'pending')
             AS pending_deliveries,
           count(*) FILTER (WHERE j.completed_at IS NOT NULL AND NOT EXISTS (
               SELECT FROM sorami.deliveries d WHERE d.job_id = j.id AND d.endpoint = ($2::text[])[1]
               AND d.type IN ('job.completed', 'job.failed', 'job.cancelled'))) AS unplanned_ends,
           count(*) FILTER (WHERE j.status = 'COMPLETED' AND NOT EXISTS (
               SELECT FROM sorami.deliveries d WHERE d.job_id = j.id AND d.endpoint = 'legacy:' || j.kind
               AND d.seq = j.seq)) AS unplanned_legacy_ends,
           {_WAITING} AS waiting_events
    FROM unnest($1::text[]) AS asked(id) LEFT JOIN sorami.jobs j USING (id)
    LEFT JOIN sorami.tasks t ON t.job_id = asked.id
"""
# A receiver that was down is tried again after minutes: the judge's time is shorter than the schedule.
HURRY = "UPDATE sorami.deliveries SET next_attempt_at = now() WHERE state = 'pending' AND endpoint = ANY($1::text[])"
RANK = {"PENDING": 0, "GENERATING": 1, "COMPLETED": 2, "FAILED": 2, "CANCELLED": 2}


@dataclass
class Verdict:
    """What the judge saw."""

    violations: list[tuple[str, str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def is_green(self) -> bool:
        return not self.violations


class Judge:
    """Judges one scenario; `heard` is where each log stood when it began."""

    def __init__(self, rig: Rig, load: Load) -> None:
        self._rig = rig
        self._load = load
        self._began = time.time()
        self._log_marks = {log: log.stat().st_size for log in self._logs()}
        self._rows: dict[str, Any] = {}
        self._files: dict[str, list[Any]] = {}
        self._calls: list[Call] = []

    async def verdict(self, within: float = SETTLES_WITHIN) -> Verdict:
        """Wait until all is quiet, then judge."""
        verdict = Verdict()
        began = time.monotonic()
        left = await self._settled(within)
        verdict.figures["settled_seconds"] = round(time.monotonic() - began, 1)
        if left:
            verdict.violations.append(("I1", f"not settled within {within:.0f} s: {left}"))
        await self._read()
        for name, check in self._checks():
            try:
                verdict.violations += [(name, words) async for words in check()]
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                verdict.violations.append((name, f"could not be judged: {error!r}"))
        verdict.figures |= self._figures()
        return verdict

    def _checks(self) -> list[tuple[str, Callable[[], AsyncIterator[str]]]]:
        return [
            ("I1", self.nothing_lost),
            ("I2", self.one_end),
            ("I3", self.progress_grows),
            # Before the files: what it removes wrongly is missed there.
            ("I7", self.no_orphan),
            ("I4", self.right_files),
            ("I5", self.one_notification),
            ("I6", self.webhooks_told),
            ("I8", self.paid_once),
            ("I9", self.queues_drained),
            ("I10", self.stream_complete),
            ("I11", self.tenants_apart),
            ("I12", self.no_secret_told),
            ("HTTP", self.answers_stated),
        ]

    # ---- waiting

    async def _settled(self, within: float) -> dict[str, int]:
        """Wait until nothing is under way; returns what still is."""
        deadline = time.monotonic() + within
        hurry_at = 0.0
        left: dict[str, int] = {"unknown": 1}
        while left and time.monotonic() < deadline:
            try:
                if time.monotonic() > hurry_at:
                    await self._rig.product.pool.execute(HURRY, self._endpoints())
                    hurry_at = time.monotonic() + 3
                left = await self._unsettled()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                left = {type(error).__name__: 1}
            if left:
                await asyncio.sleep(0.1)
        return left

    async def _unsettled(self) -> dict[str, int]:
        row = await self._rig.product.row(UNSETTLED, list(self._load.asked), self._endpoints())
        left = {name: count for name, count in row.items() if count}
        moves = await self._rig.value("SELECT n FROM sorami.user_counters WHERE user_id = $1", self._load.user_id) or 0
        if len(self._load.told) < moves:
            left["moves_not_streamed"] = moves - len(self._load.told)
        return left

    def _endpoints(self) -> list[str]:
        return [self._load.endpoint["id"], *(f"legacy:{name}" for name in KINDS)]

    async def _read(self) -> None:
        ids = list(self._load.asked)
        self._rows = {
            row["id"]: row for row in await self._rig.rows("SELECT * FROM sorami.jobs WHERE id = ANY($1)", ids)
        }
        files: dict[str, list[Any]] = defaultdict(list)
        for row in await self._rig.rows("SELECT * FROM sorami.files WHERE job_id = ANY($1) ORDER BY index", ids):
            files[row["job_id"]].append(row)
        self._files = files
        self._calls = self._rig.receiver.at(self._load.path)

    # ---- the invariants

    async def nothing_lost(self) -> AsyncIterator[str]:
        """I1: every accepted job has a row, and ended as it should."""
        for one in self._load.asked.values():
            row = self._rows.get(one.id)
            if row is None:
                yield f"{one.id} was accepted and has no row"
            elif row["status"] not in self._may_end(one):
                yield f"{one.id} is {row['status']} {row['failure'] or ''}".rstrip()
            elif row["status"] == "FAILED" and json.loads(row["failure"])["code"] not in self._load.expected.failures:
                yield f"{one.id} failed: {row['failure']}"

    def _may_end(self, one: Asked) -> set[str]:
        ends = {"COMPLETED"} | ({"CANCELLED"} if one.cancelled else set())
        return ends | ({"FAILED"} if self._load.expected.failures else set())

    async def one_end(self) -> AsyncIterator[str]:
        """I2: a status never goes back and an end is never left, in any table."""
        for (source, job_id), moves in (await self._moves()).items():
            statuses = [row["status"] for row in moves]
            for before, after in pairwise(statuses):
                if RANK[after] < RANK[before] or (before in TERMINAL and after != before):
                    yield f"{source} {job_id} went from {before} to {after}"
            if statuses[-1] not in TERMINAL:
                yield f"{source} {job_id} stands at {statuses[-1]}"
        ends = await self._rig.rows(
            """SELECT job_id FROM sorami.job_events WHERE job_id = ANY($1)
               AND data->>'status' IN ('COMPLETED', 'FAILED', 'CANCELLED') GROUP BY 1 HAVING count(*) <> 1""",
            list(self._load.asked),
        )
        for row in ends:
            yield f"{row['job_id']} has several ends in its events"

    async def progress_grows(self) -> AsyncIterator[str]:
        """I3: progress never falls, in rows, streams, polls and webhooks."""
        seen: dict[str, list[int]] = {}
        for (source, job_id), moves in (await self._moves()).items():
            seen[f"{source} {job_id}"] = [row["progress"] for row in moves]
        for job_id, polls in self._load.polled.items():
            seen[f"polls of {job_id}"] = [progress for _, progress in polls]
        for frame in self._load.told:
            seen.setdefault(f"stream of {frame.data['job_id']}", []).append(frame.data["progress"])
        for call in sorted(self._job_calls(), key=lambda call: call.body["data"]["seq"]):
            data = call.body["data"]
            seen.setdefault(f"webhooks of {data['job_id']}", []).append(data["progress"])
        for what, values in seen.items():
            if any(after < before for before, after in pairwise(values)):
                yield f"{what}: {values}"

    async def right_files(self) -> AsyncIterator[str]:
        """I4: as many files as were asked for, each with its object, whose bytes are those of the row."""
        async with AsyncExitStack() as stack:
            objects = await stack.enter_async_context(open_objects(self._object_settings()))
            gate = asyncio.Semaphore(16)
            for one in self._load.asked.values():
                row, files = self._rows.get(one.id), self._files.get(one.id, [])
                if row is None:
                    continue
                wanted = one.count if row["status"] == "COMPLETED" else 0
                if len(files) != wanted:
                    yield f"{one.id} is {row['status']} with {len(files)} files instead of {wanted}"
                if len({file["storage_key"] for file in files}) != len(files):
                    yield f"{one.id} has two files under one key"
            lost = self._load.expected.lost_objects
            all_files = [file for files in self._files.values() for file in files if file["storage_key"] not in lost]
            for words in await asyncio.gather(*(_wrong_object(objects, file, gate) for file in all_files)):
                if words:
                    yield words
        for words in await self._prismas_files():
            yield words

    async def _prismas_files(self) -> list[str]:
        wrong = []
        for kind in KINDS.values():
            ids = [one.id for one in self._load.asked.values() if one.kind == kind.name]
            rows = await self._rig.rows(
                f'SELECT "generationId" AS id, count(*) AS n FROM {kind.files_table} WHERE "generationId" = ANY($1)'
                " GROUP BY 1",
                ids,
            )
            shown = {row["id"]: row["n"] for row in rows}
            wrong += [
                f"{job_id} has {shown.get(job_id, 0)} rows in {kind.files_table}"
                for job_id in ids
                if shown.get(job_id, 0) != len(self._files.get(job_id, []))
            ]
        return wrong

    async def one_notification(self) -> AsyncIterator[str]:
        """I5: exactly one notification of each end, none of what its owner called off."""
        rows = await self._rig.rows(
            """SELECT metadata->>'generationId' AS id, count(*) AS n FROM notifications
               WHERE metadata->>'generationId' = ANY($1) GROUP BY 1""",
            list(self._load.asked),
        )
        told = {row["id"]: row["n"] for row in rows}
        for job_id, row in self._rows.items():
            wanted = 1 if row["status"] in ("COMPLETED", "FAILED") else 0
            if row["status"] in TERMINAL and told.get(job_id, 0) != wanted:
                yield f"{job_id} ({row['status']}) has {told.get(job_id, 0)} notifications"

    async def webhooks_told(self) -> AsyncIterator[str]:
        """I6: every end was told at least once, every try under one id with one content, each signed."""
        contents: dict[str, bytes] = {}
        named: dict[tuple[str, int, str], str] = {}
        ends: set[tuple[str, str]] = set()
        for call in self._job_calls():
            data = call.body["data"]
            if not own_verifier(self._load.endpoint["secret"], call.headers, call.raw):
                yield f"a webhook of {data['job_id']} is not signed"
            if contents.setdefault(call.id, call.raw) != call.raw:
                yield f"{call.id} came with two contents"
            if named.setdefault((data["job_id"], data["seq"], call.body["type"]), call.id) != call.id:
                yield f"{data['job_id']} #{data['seq']} came under two ids"
            ends.add((data["job_id"], data["status"]))
        for job_id, row in self._rows.items():
            if row["status"] in TERMINAL and (job_id, row["status"]) not in ends:
                yield f"the end of {job_id} ({row['status']}) was never told"
            if row["status"] == "COMPLETED" and not self._told_as_the_seeds_do(job_id):
                yield f"the end of {job_id} was not told at WEBHOOK_URL"

    def _told_as_the_seeds_do(self, job_id: str) -> bool:
        calls = self._rig.receiver.about(job_id)
        return any(call.body["status"] == "completed" and call.headers["X-Webhook-Secret"] == SECRET for call in calls)

    async def no_orphan(self) -> AsyncIterator[str]:
        """I7: after a run of the janitor every object has a row."""
        async with open_objects(self._object_settings()) as objects:
            # The janitor's own pass, without its two days of patience and without other people's temporary folders.
            janitor = SweepObjects(self._rig.product.pool, objects, age_hours=-1)
            await janitor._pass(found := Found(), "", remove=True, bounded=False)
            await janitor._pass(again := Found(), "", remove=True, bounded=False)
        self._orphans = found.removed.total()
        if again.removed.total():
            yield f"the second run of the janitor removed {dict(again.removed)}"
        named = {key for files in self._files.values() for file in files for key in _keys(file)}
        for prefix in (f"{kind.plural}/{self._load.tag}" for kind in KINDS.values()):
            for key in await self._rig.product.object_keys(prefix):
                if key not in named:
                    yield f"{key} is named by no row"

    _orphans = 0

    async def paid_once(self) -> AsyncIterator[str]:
        """I8: the provider executed each order at most once, and each completed one exactly once."""
        for one in self._load.asked.values():
            if not one.remote or one.id not in self._rows:
                continue
            paid = self._rig.provider.paid_for(one.prompt)
            if paid > 1 or (paid == 0 and self._rows[one.id]["status"] == "COMPLETED"):
                yield f"{one.id} was executed {paid} times"

    async def queues_drained(self) -> AsyncIterator[str]:
        """I9: nothing waits in an outbox, nobody holds a lease, and dead letters are those that were injected."""
        waiting = await self._rig.value(f"SELECT {_WAITING}")
        if waiting:
            yield f"{waiting} events wait in outboxes"
        leased = await self._rig.value("SELECT count(*) FROM sorami.tasks WHERE state = 'running'")
        if leased:
            yield f"{leased} tasks are leased"
        rows = await self._rig.rows("SELECT * FROM sorami.dead_letters WHERE at >= to_timestamp($1)", self._began)
        found = Counter(row["reason"] for row in rows)
        if found != self._load.expected.dead_letters:
            yield f"dead letters {dict(found)} instead of {dict(self._load.expected.dead_letters)}"
        for row in rows:
            if row["value"] is None or not row["consumer"] or row["offset"] is None:
                yield f"a dead letter of {row['topic']} lacks its bytes, consumer or place"

    async def stream_complete(self) -> AsyncIterator[str]:
        """I10: whoever came back with the last id saw each move once, in order, and every end."""
        numbers = [int(frame.id or 0) for frame in self._load.told]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong = next(place for place, n in enumerate(numbers, 1) if n != place)
            yield f"the stream's ids break off at {wrong}: {numbers[max(0, wrong - 3) : wrong + 3]}"
        by_job: dict[str, list[Any]] = defaultdict(list)
        for frame in self._load.told:
            by_job[frame.data["job_id"]].append(frame.data)
        for job_id, row in self._rows.items():
            told = by_job.get(job_id, [])
            if [data["seq"] for data in told] != list(range(1, row["seq"] + 1)):
                yield f"{job_id} was streamed as {[data['seq'] for data in told]} of {row['seq']}"
            elif told and told[-1]["status"] != row["status"]:
                yield f"{job_id} ended as {row['status']} and was streamed as {told[-1]['status']}"

    async def tenants_apart(self) -> AsyncIterator[str]:
        """I11: somebody else's token shows nothing of it."""
        stranger = self._load.stranger.http
        for one in list(self._load.asked.values())[:3]:
            for path in (
                f"/api/jobs/{one.id}",
                f"/api/{one.kind}s/{one.id}/status",
                f"/api/{one.kind}s/{one.id}/result",
            ):
                answer = await stranger.get(path)
                if answer.status_code != 404:
                    yield f"a stranger gets {answer.status_code} at {path}"
        for path in ("/api/jobs", "/api/events?after=0", "/api/images/user", "/api/gallery", "/api/notifications"):
            answer = await stranger.get(path, headers={"Accept": "application/json"})
            if self._load.tag in answer.text.replace(self._load.stranger.subject, ""):
                yield f"a stranger finds something at {path}"
        if any(
            call.path != self._load.path and call.body.get("data", {}).get("job_id") in self._load.asked
            for call in self._rig.receiver.calls
            if call.path.startswith("/hooks/")
        ):
            yield "another's endpoint was told"

    async def no_secret_told(self) -> AsyncIterator[str]:
        """I12: no password, key, token or prompt in logs, answers, events and dead letters."""
        own = load_or_make(self._rig.stack.home)
        canaries = {
            "the database's password": own.postgres_password,
            "the object store's key": own.s3_secret_key,
            "the sealing key": own.encryption_key,
            "the webhook secret": SECRET,
            "the endpoint's secret": self._load.endpoint["secret"].removeprefix("whsec_"),
            "the provider's key": KEY,
            "a token": self._load.person.http.headers["Authorization"].removeprefix("Bearer "),
            "a prompt": self._load.marker,
        }
        for log in self._logs():
            text = _since(log, self._log_marks.get(log, 0))
            for what, canary in canaries.items():
                if canary in text:
                    yield f"{what} stands in {log.name}"
        places: dict[str, Iterable[str]] = {
            "an answer": [answer.text for answer in self._load.refusals],
            "an event": [json.dumps(frame.data) for frame in self._load.told],
            "a dead letter": [
                f"{row['detail']} {row['headers']}"
                for row in await self._rig.rows("SELECT detail, headers::text FROM sorami.dead_letters")
            ],
        }
        for place, texts in places.items():
            joined = "\n".join(texts)
            for what, canary in canaries.items():
                if canary in joined:
                    yield f"{what} stands in {place}"

    async def answers_stated(self) -> AsyncIterator[str]:
        """Beside the twelve: no 500, and each 503 says when to come back."""
        for answer in self._load.refusals:
            if answer.status_code >= 500 and answer.status_code != 503:
                yield f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:200]}"
            elif answer.status_code == 503 and "Retry-After" not in answer.headers:
                yield f"{answer.request.url.path} answered 503 without Retry-After: {answer.text[:200]}"

    # ---- what it reads

    async def _moves(self) -> dict[tuple[str, str], list[Any]]:
        moves: dict[tuple[str, str], list[Any]] = defaultdict(list)
        rows = await self._rig.rows(
            "SELECT source, job_id, status, progress FROM chaos.transitions WHERE job_id = ANY($1) ORDER BY id",
            list(self._load.asked),
        )
        for row in rows:
            moves[row["source"], row["job_id"]].append(row)
        return moves

    def _job_calls(self) -> list[Call]:
        return [call for call in self._calls if str(call.body.get("type", "")).startswith("job.")]

    def _object_settings(self) -> ObjectSettings:
        env = self._rig.stack.env
        return ObjectSettings.model_validate({name: env[name] for name in env if name.startswith(("S3_", "AWS_"))})

    def _logs(self) -> list[Path]:
        return sorted(self._rig.stack.home.logs.glob("*.log"))

    def _figures(self) -> dict[str, Any]:
        ends = Counter(row["status"] for row in self._rows.values())
        fences = [
            file["storage_key"] for files in self._files.values() for file in files if "/f" in file["storage_key"]
        ]
        errors: Counter[str] = Counter()
        for log in self._logs():
            for line in _since(log, self._log_marks.get(log, 0)).splitlines():
                if '"level":"error"' in line.replace('": "', '":"'):
                    errors[f"{log.stem}: {_event(line)}"] += 1
        calls = self._job_calls()
        return {
            "jobs": len(self._load.asked),
            "ends": dict(ends),
            "by_a_later_lease": len(fences),
            "orphans_removed": self._orphans,
            "lost_by_the_bucket": len(self._load.expected.lost_objects),
            "webhooks": len(calls),
            "webhooks_repeated": len(calls) - len({call.id for call in calls}),
            "streamed": len(self._load.told),
            "answers": dict(self._load.answers),
            "errors_logged": dict(errors.most_common(8)),
        }


async def _wrong_object(objects: Objects, file: Any, gate: asyncio.Semaphore) -> str | None:
    async with gate:
        try:
            body = await objects.get(file["storage_key"], most_bytes=MOST_BYTES)
        except ObjectMissing:
            return f"{file['storage_key']} has a row and no object"
    if (len(body), hashlib.sha256(body).hexdigest()) != (file["size_bytes"], file["sha256"]):
        return f"{file['storage_key']} is another object than its row says"
    return None


def _keys(file: Any) -> list[str]:
    smaller = json.loads(file["thumbnails"]) if file["thumbnails"] else []
    return [key for key in (file["storage_key"], file["thumbnail_key"], *(one["key"] for one in smaller)) if key]


def _since(log: Path, mark: int) -> str:
    with log.open("rb") as file:
        # A log that was put aside began anew.
        file.seek(mark if log.stat().st_size >= mark else 0)
        return file.read().decode(errors="replace")


def _event(line: str) -> str:
    try:
        return str(json.loads(line).get("event", line[:80]))
    except ValueError:
        return line[:80]


def brief(violations: Sequence[tuple[str, str]], most: int = 12) -> list[str]:
    """Return the first violations as lines."""
    lines = [f"{name}: {words}" for name, words in violations[:most]]
    return lines + ([f"… and {len(violations) - most} more"] if len(violations) > most else [])
