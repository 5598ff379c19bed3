"""Workers of others: they hear job.requested, report by topics, and upload what they made to our bucket.

To the engine such a worker is a provider like any other. Its submit only begins the waiting, its polls read what was
heard of it, and its media are fetched from the bucket, examined and stored like everybody's.
"""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from contracts.events import JobCompleted, JobFailed
from contracts.failures import FailureCode
from contracts.kinds import KINDS
from contracts.provider_settings import ExternalModel
from contracts.topics import JOB_COMPLETED
from services.generator import queries
from services.generator.providers.base import (
    Finished,
    MediaRef,
    Operation,
    Order,
    ProviderFailed,
    RawFile,
    Running,
    Submitted,
    Traits,
)
from services.generator.providers.remote.download import judge
from services.generator.providers.remote.failures import failed, unknown_outcome
from services.runtime.database import Pool
from services.runtime.objects import ObjectMissing, Objects, ObjectTooLarge

MOST_METADATA: Final = 16_384
"""Bytes of JSON that a worker may say beside its files."""


class ExternalWorker:
    """One declared provider, which may be any number of processes somewhere else."""

    def __init__(self, name: str, models: Mapping[str, ExternalModel], pool: Pool, objects: Objects) -> None:
        self.name = name
        # A submit sends nothing, so it may be repeated.
        self.traits = Traits(idempotent_submit=True, self_starting=True)
        self._models = models
        self._pool = pool
        self._objects = objects

    async def submit(self, order: Order, submit_key: str) -> Submitted:
        """Begin to wait; what was reported already is found by the first poll."""
        return Submitted(Operation(order.job_id), 0.0)

    async def poll(self, operation: Operation) -> Running | Finished:
        """Look at what was heard; raises ProviderFailed for a failure that was told, and for silence."""
        heard = await queries.heard_of_worker(self._pool, operation.id)
        if heard is None:
            raise failed(FailureCode.INTERNAL, "the task is gone", charged="unknown", retryable=False)
        if heard["topic"] == JOB_COMPLETED.name:
            return _finished(JobCompleted.model_validate_json(heard["event"]), heard["count"])
        if heard["topic"] is not None:
            raise _told(JobFailed.model_validate_json(heard["event"]))
        model = self._models.get(heard["model"] or "") or next(iter(self._models.values()))
        if heard["silent"] is None:
            left = model.start_seconds - heard["waited"]
            if left <= 0 or heard["late"]:
                raise failed(FailureCode.NO_WORKER, f"no worker of {self.name} took the job up in time")
            return Running(max(left, 0.1))
        left = model.heartbeat_seconds - heard["silent"]
        if left <= 0:
            message = f"the worker of {self.name} said nothing for {model.heartbeat_seconds:g} seconds"
            raise failed(FailureCode.TIMEOUT, message, charged="unknown", reason="worker_silent")
        return Running(max(left, 0.1))

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        """Never asked: a submit may be repeated."""
        raise unknown_outcome(f"{self.name} is not asked")

    async def cancel(self, operation: Operation) -> bool:
        """The worker hears job.cancel-requested itself."""
        return False

    async def fetch(self, ref: MediaRef, folder: Path) -> RawFile:
        """Bring an upload into a folder; raises ProviderFailed when it is not what its key says."""
        key = ref.storage_key or ""
        path = folder / f"raw_{ref.index}.part"
        try:
            await self._objects.save(key, path, most_bytes=KINDS[ref.kind].most_bytes)
        except ObjectMissing:
            raise _unusable(f"{self.name} reported a file that was never uploaded", "upload_missing") from None
        except ObjectTooLarge as error:
            raise _unusable(f"{self.name}: {error}", "upload_too_large") from None
        if await asyncio.to_thread(_digest, path) != key.rpartition("/")[2]:
            raise _unusable(f"{self.name}: the bytes are not those that were announced", "upload_changed")
        # A file that is here: fetching the same bytes once more would mend nothing.
        return await asyncio.to_thread(judge, replace(ref, path=path), path, folder, name=self.name)

    async def close(self) -> None:
        """Nothing is held."""


def external_workers(models: Mapping[str, ExternalModel], pool: Pool, objects: Objects) -> dict[str, ExternalWorker]:
    """Build a provider for each worker that the settings declare, by name."""
    by_name: defaultdict[str, dict[str, ExternalModel]] = defaultdict(dict)
    for model, one in models.items():
        by_name[one.provider_name][model] = one
    return {name: ExternalWorker(name, known, pool, objects) for name, known in by_name.items()}


def _finished(event: JobCompleted, asked: int) -> Finished:
    if len(event.files) > asked:
        raise _unusable(f"the worker reported {len(event.files)} files, {asked} were asked for", "too_many_files")
    media = [
        MediaRef(number, event.kind, description=file.description, storage_key=file.storage_key)
        for number, file in enumerate(event.files, 1)
    ]
    about: dict[str, Any] = {name: value for name, value in event.metadata.items() if name != "partial"}
    if len(json.dumps(about)) > MOST_METADATA:
        about = {}
    if len(media) < asked:
        missing = [{"code": FailureCode.NO_MEDIA.value, "words": None, "count": asked - len(media)}]
        about["partial"] = {"asked": asked, "made": len(media), "missing": missing}
    return Finished(media, about)


def _told(event: JobFailed) -> ProviderFailed:
    """A worker's own failure; that a job was cancelled is not its to say."""
    failure = event.failure
    if failure.code is FailureCode.CANCELLED:
        failure = failure.model_copy(update={"code": FailureCode.PROVIDER_ERROR})
    return ProviderFailed(failure)


def _unusable(message: str, reason: str) -> ProviderFailed:
    return failed(FailureCode.PROVIDER_ERROR, message, charged="yes", retryable=False, reason=reason)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
