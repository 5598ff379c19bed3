"""Orders larger than one submit of a provider: divided, sent side by side, and told as one.

What one part made is never thrown away because another failed, and never paid for again: the order then finishes
with fewer media, and its metadata says which are missing and why.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from contracts.failures import Failure, FailureCode
from services.generator.providers.base import (
    Finished,
    MediaRef,
    Operation,
    Order,
    OutcomeUnknown,
    ProviderFailed,
    RawFile,
    RemoteProvider,
    Running,
    Submitted,
    Traits,
)
from services.generator.providers.remote.failures import unknown_outcome
from services.generator.providers.remote.outcomes import partial, with_filter

PART_TRIES: Final = 3
"""How often one part is submitted while its failures are surely free; later the other parts are already paid."""
LONGEST_WAIT: Final = 60.0
"""Seconds a part waits for a provider's limit."""
FIRST_WAIT: Final = 1.0
_PARTS: Final = "parts"

Part = Submitted | Finished | ProviderFailed
Answer = TypeVar("Answer")


class DividedProvider(RemoteProvider, Protocol):
    """A remote provider that says how many media one submit can make."""

    def at_once(self, order: Order) -> int:
        """Return the most media of one submit."""
        ...


class InParts:
    """Wraps a provider; an order that fits into one submit passes through as it is."""

    def __init__(self, inner: DividedProvider) -> None:
        self.inner = inner
        self.name: str = inner.name
        self.traits: Traits = inner.traits

    async def submit(self, order: Order, submit_key: str) -> Submitted | Finished:
        """Submit every part; raises only when no part was accepted."""
        orders = divide(order, self.inner.at_once(order))
        if len(orders) == 1:
            return await self.inner.submit(order, submit_key)
        for part in orders:
            part.workdir.mkdir(exist_ok=True)
        parts = await asyncio.gather(*(self._submit(part, f"{submit_key}/{n}") for n, part in enumerate(orders, 1)))
        counts = [part.count for part in orders]
        if any(isinstance(part, Submitted) for part in parts):
            return _submitted(counts, parts)
        return _finished(counts, [part for part in parts if not isinstance(part, Submitted)])

    async def _submit(self, order: Order, submit_key: str) -> Part:
        wait, since = FIRST_WAIT, datetime.now(UTC)
        for tries in range(1, PART_TRIES + 1):
            try:
                return await self.inner.submit(order, submit_key)
            except OutcomeUnknown as error:
                if tries == PART_TRIES or (answer := await self._look_for(error, order, submit_key, since)) is error:
                    return error
                if answer is not None:
                    return answer
                await asyncio.sleep(min(error.retry_after or 0.0, LONGEST_WAIT))
            except ProviderFailed as error:
                failure = error.failure
                pause = wait if error.retry_after is None else error.retry_after
                free = failure.retryable and failure.charged == "no"
                if not free or tries == PART_TRIES or pause > LONGEST_WAIT:
                    return error
                await asyncio.sleep(pause)
                wait *= 2
        raise AssertionError("every try returns or is followed by another")

    async def _look_for(
        self, lost: OutcomeUnknown, order: Order, submit_key: str, since: datetime
    ) -> Submitted | ProviderFailed | None:
        """Return an ambiguous part's operation, None when it may be sent again, or the failure that it is."""
        if self.traits.idempotent_submit:
            return None
        try:
            return await self.inner.find(order, submit_key, since) if self.traits.findable else lost
        except ProviderFailed:
            return lost

    async def poll(self, operation: Operation) -> Running | Finished:
        """Poll every part that runs."""
        parts = operation.state.get(_PARTS)
        if parts is None:
            return await self.inner.poll(operation)
        answers = await asyncio.gather(*(self._poll(part) for part in parts))
        running = [answer for answer in answers if isinstance(answer, Running)]
        if running:
            done = sum(answer.progress or 0.0 if isinstance(answer, Running) else 1.0 for answer in answers)
            trouble = next((answer.trouble for answer in running if answer.trouble), None)
            return Running(min(answer.poll_after for answer in running), done / len(answers), trouble)
        counts = [int(part["count"]) for part in parts]
        return _finished(counts, [answer for answer in answers if not isinstance(answer, Running)])

    async def _poll(self, part: dict[str, Any]) -> Running | Finished | ProviderFailed:
        if "failure" in part:
            return ProviderFailed(Failure.model_validate(part["failure"]))
        if "media" in part:
            return Finished([MediaRef(**ref) for ref in part["media"]], part["metadata"])
        try:
            return await self.inner.poll(Operation(part["id"], part["state"]))
        except ProviderFailed as error:
            return error

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        """Find an ambiguous submit; one of several parts is only found or missed together with the others."""
        orders = divide(order, self.inner.at_once(order))
        if len(orders) == 1:
            return await self.inner.find(order, submit_key, since)
        found = [await self.inner.find(part, f"{submit_key}/{n}", since) for n, part in enumerate(orders, 1)]
        accepted = [part for part in found if part is not None]
        if not accepted:
            return None
        if len(accepted) < len(found):
            raise unknown_outcome(f"{self.name} knows {len(accepted)} of {len(found)} parts of the request")
        return _submitted([part.count for part in orders], accepted)

    async def cancel(self, operation: Operation) -> bool:
        """Cancel every part; True when all that run were taken."""
        parts = operation.state.get(_PARTS)
        if parts is None:
            return await self.inner.cancel(operation)
        running = [Operation(part["id"], part["state"]) for part in parts if "id" in part]
        return all(await asyncio.gather(*(self.inner.cancel(one) for one in running)))

    async def fetch(self, ref: MediaRef, folder: Path) -> RawFile:
        """Bring a medium into a folder."""
        return await self.inner.fetch(ref, folder)

    async def close(self) -> None:
        """Close connections."""
        await self.inner.close()


def divide(order: Order, most: int) -> list[Order]:
    """Divide an order into orders of at most `most` media, each with a folder of its own and, if given, a seed."""
    if order.count <= most:
        return [order]
    orders: list[Order] = []
    for start in range(0, order.count, most):
        seed = None if order.seed is None else (order.seed + start) % 2**32
        folder = order.workdir / f"part_{len(orders) + 1}"
        orders.append(replace(order, count=min(most, order.count - start), seed=seed, workdir=folder))
    return orders


def _finished(counts: Sequence[int], parts: Sequence[Finished | ProviderFailed]) -> Finished:
    """Tell ended parts as one; raises the gravest failure when all failed."""
    failures = [part for part in parts if isinstance(part, ProviderFailed)]
    if len(failures) == len(parts):
        raise _gravest(failures)
    media: list[MediaRef] = []
    missing: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    for count, part in zip(counts, parts, strict=True):
        if isinstance(part, Finished):
            missing += part.metadata.get("partial", {}).get("missing", [])
            about = about or {name: value for name, value in part.metadata.items() if name != "partial"}
            media += [replace(ref, index=number) for number, ref in enumerate(part.media, len(media) + 1)]
        else:
            failure = part.failure
            lost = {"code": failure.code.value, "words": failure.provider_words, "count": count}
            missing.append(with_filter(lost, failure.filtered))
    if missing:
        about["partial"] = partial(sum(counts), len(media), missing)
    charged = {part.charged for part in parts if isinstance(part, Finished)}
    return Finished(media, about, "unknown" if charged == {"unknown"} else "yes")


def _submitted(counts: Sequence[int], parts: Sequence[Part]) -> Submitted:
    """Tell parts of which one at least runs as one operation."""
    states: list[dict[str, Any]] = []
    after: list[float] = []
    for count, part in zip(counts, parts, strict=True):
        if isinstance(part, Submitted):
            states.append({"id": part.operation.id, "state": dict(part.operation.state), "count": count})
            after.append(part.poll_after)
        elif isinstance(part, Finished):
            media = [{"index": ref.index, "kind": ref.kind, "url": ref.url} for ref in part.media]
            states.append({"media": media, "metadata": dict(part.metadata), "count": count})
        else:
            states.append({"failure": part.failure.model_dump(mode="json"), "count": count})
    first = next(state["id"] for state in states if "id" in state)
    return Submitted(Operation(first, {_PARTS: states}), min(after))


def _gravest(failures: Sequence[ProviderFailed]) -> ProviderFailed:
    """An unknown outcome first: it forbids another submit; then what no retry mends; a filter says most of all."""

    def gravity(error: ProviderFailed) -> tuple[bool, bool, bool, bool]:
        failure = error.failure
        return (
            isinstance(error, OutcomeUnknown),
            failure.charged != "no",
            not failure.retryable,
            failure.code is FailureCode.CONTENT_FILTERED,
        )

    return max(failures, key=gravity)
