"""Retry a job that failed: a new job with the same request, which names the one it repeats."""

from contracts.requests import Wanted
from contracts.status import JobStatus
from services.gateway.queries import jobs
from services.gateway.usecases.new_jobs import Asking
from services.gateway.usecases.request_generation import Accepted, RequestGeneration
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows


class NotFailed(Exception):
    """Only a job that failed or was cancelled is retried; `status` is where this one stands."""

    def __init__(self, status: JobStatus) -> None:
        super().__init__(status)
        self.status = status


class RetryJob:
    """The use case behind POST /api/jobs/{id}/retry."""

    def __init__(self, pool: Pool, request_generation: RequestGeneration) -> None:
        self._pool = pool
        self._request_generation = request_generation

    async def __call__(self, asking: Asking, job_id: str) -> Accepted | None:
        """Ask for the same again; None when there is no such job. Raises NotFailed and what RequestGeneration does."""
        asked = await jobs.asked_for(OwnRows(self._pool, asking.caller.user_id), job_id)
        if asked is None:
            return None
        if asked.view.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise NotFailed(asked.view.status)
        wanted = Wanted(
            kind=asked.view.kind,
            prompt=asked.prompt,
            count=asked.count,
            size=asked.size,
            format=asked.format,
            style=asked.style,
            quality=asked.quality,
            model=asked.model,
            input_image_url=asked.input_image_url,
            options=asked.options,
            job_id=None,
            user_id=None,
            parent_id=asked.view.parent_id,
            priority=asked.priority,
            start_within=asked.start_within,
            finish_within=asked.finish_within,
            webhook_url=asked.webhook_url,
            webhook_events=asked.webhook_events,
            fallback=asked.fallback,
        )
        return await self._request_generation(asking, wanted, retry_of=job_id)
