"""The reference of how an engine drives a remote provider; time passes at once, and every pause is noted."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.failures import Failure
from services.generator.providers.base import (
    Finished,
    Operation,
    Order,
    OutcomeUnknown,
    ProviderFailed,
    RawFile,
    RemoteProvider,
    Running,
    Submitted,
)

MOST_SUBMITS = 3
MOST_POLLS = 40
MOST_FETCHES = 3
USUAL_PAUSE = 1.0


@dataclass
class Ending:
    """How an order ended, and what happened on the way."""

    failure: Failure | None = None
    files: Sequence[RawFile] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)


class Driver:
    """Drives one order to its end."""

    def __init__(self, provider: RemoteProvider) -> None:
        self._provider = provider
        self._ending = Ending()

    async def __call__(self, order: Order) -> Ending:
        ending = self._ending
        try:
            finished = await self._render(order)
            ending.files = [await self._fetch(finished, number, order.workdir) for number in range(len(finished.media))]
            ending.metadata = dict(finished.metadata)
        except ProviderFailed as error:
            ending.failure = error.failure
        return ending

    async def _render(self, order: Order) -> Finished:
        """Submit, and again only what was surely not charged."""
        for tries in range(1, MOST_SUBMITS + 1):
            folder = order.workdir / f"try_{tries}"
            folder.mkdir()
            try:
                return await self._poll(await self._submit(replace(order, workdir=folder)))
            except ProviderFailed as error:
                free = error.failure.retryable and error.failure.charged == "no"
                if not free or tries == MOST_SUBMITS:
                    raise
                self._ending.pauses.append(USUAL_PAUSE if error.retry_after is None else error.retry_after)
        raise AssertionError("every try returns or raises")

    async def _submit(self, order: Order) -> Submitted | Finished:
        key, since = uuid.uuid4().hex, datetime.now(UTC)
        for tries in range(1, MOST_SUBMITS + 1):
            try:
                return await self._provider.submit(order, key)
            except OutcomeUnknown as error:
                if tries == MOST_SUBMITS:
                    raise
                if self._provider.traits.idempotent_submit:
                    self._ending.pauses.append(error.retry_after or USUAL_PAUSE)
                elif not self._provider.traits.findable:
                    raise
                elif (found := await self._provider.find(order, key, since)) is not None:
                    return found
        raise AssertionError("every try returns or raises")

    async def _poll(self, submitted: Submitted | Finished) -> Finished:
        if isinstance(submitted, Finished):
            return submitted
        # What an engine stores and another process reads.
        stored = Operation(submitted.operation.id, json.loads(json.dumps(submitted.operation.state)))
        self._ending.operations.append(stored)
        pause = submitted.poll_after
        for _ in range(MOST_POLLS):
            self._ending.pauses.append(pause)
            answer = await self._ask(stored)
            if isinstance(answer, Finished):
                return answer
            self._ending.running.append(answer)
            pause = answer.poll_after
        raise AssertionError("the operation never ended")

    async def _ask(self, operation: Operation) -> Running | Finished:
        try:
            return await self._provider.poll(operation)
        except ProviderFailed as error:
            # Otherwise a retry would pay twice.
            assert error.failure.charged == "no" or not error.failure.retryable
            raise

    async def _fetch(self, finished: Finished, number: int, folder: Path) -> RawFile:
        for tries in range(1, MOST_FETCHES + 1):
            try:
                return await self._provider.fetch(finished.media[number], folder)
            except ProviderFailed as error:
                if not error.failure.retryable or tries == MOST_FETCHES:
                    raise
                self._ending.pauses.append(USUAL_PAUSE if error.retry_after is None else error.retry_after)
        raise AssertionError("every try returns or raises")
