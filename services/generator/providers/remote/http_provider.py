"""What the adapters have in common: an API, downloads, and the answers of a provider that offers nothing more."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from contracts.failures import FailureCode
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
from services.generator.providers.remote.api import Answer, Api
from services.generator.providers.remote.download import Downloads
from services.generator.providers.remote.failures import by_status, failed, unknown_outcome
from services.runtime.logs import get_logger

TROUBLED_POLL: Final = 5.0
"""Seconds until the next poll after one that told nothing and named no pause."""
_PASSING: Final = frozenset({401, 403, 408, 425, 429})
"""Statuses of a poll that say nothing about the operation: the key, the limits or the network are meant."""

log = get_logger(part="provider")


class HttpProvider(ABC):
    """Base of the adapters. A subclass has `submit` and, unless it is synchronous, `poll`."""

    name: str
    traits: Traits = Traits()
    poll_every: float = 2.0

    def __init__(self, api: Api, models: Sequence[str]) -> None:
        self.api = api
        self.models = tuple(models)
        self.downloads = Downloads(api)

    def at_once(self, order: Order) -> int:
        """How many media one submit can make."""
        return 1

    @abstractmethod
    async def submit(self, order: Order, submit_key: str) -> Submitted | Finished:
        """Send an order once."""

    async def poll(self, operation: Operation) -> Running | Finished:
        """A synchronous provider has no operations."""
        raise unknown_outcome(f"{self.name} answers at once and keeps no operations")

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        """Not offered: OutcomeUnknown."""
        raise unknown_outcome(f"{self.name} cannot be asked whether it accepted a request")

    async def cancel(self, operation: Operation) -> bool:
        """Not offered: False."""
        return False

    async def fetch(self, ref: MediaRef, folder: Path) -> RawFile:
        """Bring a medium into a folder; raises ProviderFailed."""
        return await self.downloads.fetch(ref, folder)

    async def close(self) -> None:
        """Close connections."""
        await self.downloads.close()
        await self.api.close()

    def model_of(self, order: Order) -> str:
        """Return the order's model when the operator configured it; raises ProviderFailed (invalid_input)."""
        if order.model in self.models:
            return order.model
        message = f"{self.name} is not configured for this model; configured are {', '.join(self.models)}"
        raise failed(FailureCode.INVALID_INPUT, message, reason="model_unknown")

    async def look(self, url: str, method: str = "GET") -> Answer | Running:
        """Ask about an operation; Running when the answer says nothing about it."""
        try:
            answer = await self.api.ask(method, url)
        except ProviderFailed as trouble:
            return Running(TROUBLED_POLL, trouble=trouble.failure)
        if answer.status in _PASSING or (answer.status >= 500 and answer.body is None):
            return self.troubled(answer)
        return answer

    def troubled(self, answer: Answer) -> Running:
        """A poll that told nothing about its operation."""
        typed = by_status(self.name, answer.status, answer.words, answer.headers)
        trouble = typed.failure.model_copy(update={"charged": "unknown"})
        return Running(typed.retry_after or TROUBLED_POLL, trouble=trouble)

    def still_running(self, status: object, known: Sequence[str], progress: float | None = None) -> Running:
        """A status that is no ending; one we do not know is a warning and counts as running until the deadline."""
        if status not in known:
            log.warning("a provider answered a status nobody knows", provider=self.name, status=str(status)[:64])
        return Running(self.poll_every, progress)

    def vanished(self, answer: Answer) -> ProviderFailed:
        """The provider no longer knows an operation that it accepted; whether it was charged it cannot say."""
        return failed(
            FailureCode.PROVIDER_ERROR,
            f"{self.name} no longer knows the operation",
            words=answer.words,
            charged="unknown",
            retryable=False,
        )
