"""Accept requested jobs: a row each in the task table, then the workers are woken."""

from collections.abc import Callable, Sequence

from contracts.events import JobRequested
from contracts.models import BUILT_IN, ModelRetired, Models, ModelUnknown, choose_model
from services.generator.store.tasks import NewTask, accept_tasks
from services.runtime.database import Pool
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger

_log = get_logger(part="accept")


class AcceptJobs:
    """The use case behind job.requested; the same request again is the same task."""

    def __init__(
        self, pool: Pool, providers: frozenset[str], wake: Callable[[], None], *, models: Models = BUILT_IN
    ) -> None:
        self._pool = pool
        self._providers = providers
        self._wake = wake
        self._models = models

    async def __call__(self, requested: Sequence[tuple[JobRequested, str | None]]) -> None:
        tasks = [task for event, trace in requested if (task := self._task(event, trace)) is not None]
        if tasks:
            await accept_tasks(self._pool, tasks)
            reach("gen.after_accept")
            self._wake()

    def _task(self, event: JobRequested, traceparent: str | None) -> NewTask | None:
        try:
            model = choose_model(event.kind, event.model, self._models)
        except (ModelUnknown, ModelRetired):
            _log.warning("no provider of ours renders this model", job_id=event.job_id, model=event.model)
            return None
        if model.provider not in self._providers:
            return None
        return NewTask(event, model.provider, model.id, traceparent)
