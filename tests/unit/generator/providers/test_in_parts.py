"""Orders in parts: nothing that one part made is lost because another failed, and nothing is paid again."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.failures import FailureCode
from services.generator.providers.base import (
    Finished,
    MediaRef,
    Operation,
    Order,
    OutcomeUnknown,
    ProviderFailed,
    RawFile,
    Running,
    Submitted,
    Traits,
)
from services.generator.providers.remote.failures import failed, filtered, unknown_outcome
from services.generator.providers.remote.in_parts import InParts
from tests.support.providers.setups import SETUPS, order_for

Step = Submitted | Finished | Running | ProviderFailed | None


class Scripted:
    """A provider of one medium a submit; the n-th part gets the n-th list of answers."""

    name = "scripted"

    def __init__(self, *parts: list[Step], findable: bool = True) -> None:
        self.parts = parts
        self.traits = Traits(findable=findable, cancellable=True)
        self.keys: list[str] = []
        self.cancelled: list[str] = []

    def at_once(self, order: Order) -> int:
        return 1

    def _next(self, number: int) -> Step:
        step = self.parts[number - 1].pop(0)
        if isinstance(step, ProviderFailed):
            raise step
        return step

    async def submit(self, order: Order, submit_key: str) -> Submitted | Finished:
        self.keys.append(submit_key)
        step = self._next(int(submit_key.rpartition("/")[2]))
        assert isinstance(step, Submitted | Finished)
        return step

    async def poll(self, operation: Operation) -> Running | Finished:
        step = self._next(int(operation.id))
        assert isinstance(step, Running | Finished)
        return step

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        step = self._next(int(submit_key.rpartition("/")[2]))
        assert step is None or isinstance(step, Submitted)
        return step

    async def cancel(self, operation: Operation) -> bool:
        self.cancelled.append(operation.id)
        return True

    async def fetch(self, ref: MediaRef, folder: Path) -> RawFile:
        raise AssertionError("nothing is fetched here")

    async def close(self) -> None:
        """Nothing is held."""


def made() -> Finished:
    return Finished([MediaRef(1, "image", url="https://x/1.png")], {"model_name": "m"})


def runs(number: int, after: float = 1.0) -> Submitted:
    return Submitted(Operation(str(number)), after)


def limited(pause: float) -> ProviderFailed:
    return failed(FailureCode.RATE_LIMITED, "slow down", retry_after=pause)


def withheld() -> ProviderFailed:
    return filtered("no", words="violence", stage="output")


@pytest.fixture
def order(tmp_path: Path) -> Callable[[int], Order]:
    return lambda count: order_for(SETUPS["gemini"], tmp_path, count=count)


async def test_media_are_numbered_over_all_parts_and_each_part_has_its_own_key(order: Callable[[int], Order]) -> None:
    inner = Scripted([made()], [made()], [made()])
    finished = await InParts(inner).submit(order(3), "key")
    assert isinstance(finished, Finished)
    assert [ref.index for ref in finished.media] == [1, 2, 3]
    assert inner.keys == ["key/1", "key/2", "key/3"]
    assert "partial" not in finished.metadata


async def test_an_order_of_one_passes_through_as_it_is(order: Callable[[int], Order]) -> None:
    inner = Scripted([made()])
    assert await InParts(inner).submit(order(1), "key/1") == made()
    assert inner.keys == ["key/1"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (withheld(), "content_filtered"),
        (unknown_outcome("lost"), "outcome_unknown"),
        (failed(FailureCode.QUOTA, "empty"), "quota"),
    ],
)
async def test_what_is_missing_is_said_and_what_is_there_is_kept(
    order: Callable[[int], Order], failure: ProviderFailed, code: str
) -> None:
    finished = await InParts(Scripted([made()], [failure], findable=False)).submit(order(2), "key")
    assert isinstance(finished, Finished)
    told = finished.metadata["partial"]
    assert (told["asked"], told["made"], [one["code"] for one in told["missing"]]) == (2, 1, [code])


async def test_a_part_waits_for_the_provider_s_limit_as_the_others_are_paid(order: Callable[[int], Order]) -> None:
    inner = Scripted([made()], [limited(0.01), limited(0.01), made()])
    finished = await InParts(inner).submit(order(2), "key")
    assert isinstance(finished, Finished)
    assert len(finished.media) == 2
    assert inner.keys.count("key/2") == 3


async def test_a_limit_of_an_hour_is_not_waited_for(order: Callable[[int], Order]) -> None:
    async with asyncio.timeout(5):
        finished = await InParts(Scripted([made()], [limited(3_600)])).submit(order(2), "key")
    assert isinstance(finished, Finished)
    assert len(finished.media) == 1


async def test_what_may_have_been_charged_is_not_sent_again(order: Callable[[int], Order]) -> None:
    costly = failed(FailureCode.PROVIDER_ERROR, "500", charged="unknown", retryable=True)
    inner = Scripted([made()], [costly])
    await InParts(inner).submit(order(2), "key")
    assert inner.keys == ["key/1", "key/2"]


@pytest.mark.parametrize("found", [runs(2), None])
async def test_a_lost_part_is_looked_for_before_it_is_missing(
    order: Callable[[int], Order], found: Submitted | None
) -> None:
    again: list[Step] = [] if found else [runs(2)]
    inner = Scripted([runs(1)], [unknown_outcome("lost"), found, *again])
    answer = await InParts(inner).submit(order(2), "key")
    assert isinstance(answer, Submitted)
    assert [part["id"] for part in answer.operation.state["parts"]] == ["1", "2"]
    assert inner.keys == ["key/1", "key/2", *(["key/2"] if again else [])]


@pytest.mark.parametrize("others", [[withheld()], [failed(FailureCode.QUOTA, "empty")], [limited(3_600)]])
async def test_when_all_fail_an_unknown_outcome_outweighs_the_others(
    order: Callable[[int], Order], others: list[Step]
) -> None:
    with pytest.raises(OutcomeUnknown):
        await InParts(Scripted(others, [unknown_outcome("lost")], findable=False)).submit(order(2), "key")


async def test_operations_run_as_one_until_the_last_ends(order: Callable[[int], Order]) -> None:
    inner = Scripted([runs(1, 5.0), Running(9.0, 0.5), made()], [runs(2, 3.0), made(), made()])
    provider = InParts(inner)
    answer = await provider.submit(order(2), "key")
    assert isinstance(answer, Submitted)
    assert answer.poll_after == 3.0
    assert await provider.poll(answer.operation) == Running(9.0, 0.75)
    finished = await provider.poll(answer.operation)
    assert isinstance(finished, Finished)
    assert len(finished.media) == 2
    assert await provider.cancel(answer.operation)
    assert inner.cancelled == ["1", "2"]


async def test_parts_that_ended_at_the_submit_are_kept_in_the_operation(order: Callable[[int], Order]) -> None:
    provider = InParts(Scripted([made()], [withheld()], [runs(3), made()]))
    answer = await provider.submit(order(3), "key")
    assert isinstance(answer, Submitted)
    finished = await provider.poll(answer.operation)
    assert isinstance(finished, Finished)
    assert [ref.index for ref in finished.media] == [1, 2]
    assert finished.metadata["partial"]["missing"][0]["words"] == "violence"


async def test_operations_that_all_fail_fail(order: Callable[[int], Order]) -> None:
    provider = InParts(Scripted([runs(1), withheld()], [runs(2), withheld()]))
    answer = await provider.submit(order(2), "key")
    assert isinstance(answer, Submitted)
    with pytest.raises(ProviderFailed) as raised:
        await provider.poll(answer.operation)
    assert raised.value.failure.code is FailureCode.CONTENT_FILTERED


async def test_lost_parts_are_found_all_or_none(order: Callable[[int], Order]) -> None:
    since = datetime.now(UTC)
    assert await InParts(Scripted([None], [None])).find(order(2), "key", since) is None
    found = await InParts(Scripted([runs(1)], [runs(2)])).find(order(2), "key", since)
    assert found is not None
    assert [part["id"] for part in found.operation.state["parts"]] == ["1", "2"]
    with pytest.raises(OutcomeUnknown):
        await InParts(Scripted([runs(1)], [None])).find(order(2), "key", since)
