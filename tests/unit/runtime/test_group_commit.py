"""Group commit: together when it helps, alone when it must, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest

from services.runtime.group_commit import GroupCommit, Overloaded


async def test_what_arrives_during_a_commit_is_written_together() -> None:
    groups: list[list[int]] = []
    gate = asyncio.Event()

    async def flush(items: Sequence[int]) -> list[int]:
        groups.append(list(items))
        if len(groups) == 1:
            await gate.wait()
        return [item * 2 for item in items]

    commits: GroupCommit[int, int] = GroupCommit(flush, is_retryable=lambda _: False, lanes=1)
    futures = [commits.enqueue(0)]
    await asyncio.sleep(0)
    futures += [commits.enqueue(number) for number in range(1, 50)]
    gate.set()
    assert await asyncio.gather(*futures) == [number * 2 for number in range(50)]
    assert [len(group) for group in groups] == [1, 49]


async def test_a_bad_item_does_not_fail_its_neighbours() -> None:
    async def flush(items: Sequence[int]) -> list[int]:
        if 7 in items:
            raise ValueError("seven")
        return list(items)

    commits: GroupCommit[int, int] = GroupCommit(flush, is_retryable=lambda _: False, lanes=1)
    results = await asyncio.gather(*(commits.submit(number) for number in range(10)), return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert isinstance(results[7], ValueError)


async def test_when_the_database_is_away_items_are_not_tried_one_by_one() -> None:
    tries: list[int] = []

    async def flush(items: Sequence[int]) -> list[int]:
        tries.append(len(items))
        raise ConnectionError

    commits: GroupCommit[int, int] = GroupCommit(flush, is_retryable=lambda e: isinstance(e, ConnectionError), lanes=1)
    results = await asyncio.gather(*(commits.submit(number) for number in range(10)), return_exceptions=True)
    assert all(isinstance(result, ConnectionError) for result in results)
    assert sum(tries) == 10


async def test_a_full_queue_refuses_instead_of_growing() -> None:
    gate = asyncio.Event()

    async def flush(items: Sequence[int]) -> list[int]:
        await gate.wait()
        return list(items)

    commits: GroupCommit[int, int] = GroupCommit(flush, is_retryable=lambda _: False, lanes=1, most=1, bound=3)
    futures = [commits.enqueue(0)]
    await asyncio.sleep(0)
    futures += [commits.enqueue(number) for number in range(1, 4)]
    with pytest.raises(Overloaded):
        commits.enqueue(4)
    gate.set()
    assert await asyncio.gather(*futures) == [0, 1, 2, 3]


async def test_closing_waits_for_what_was_submitted() -> None:
    written: list[int] = []

    async def flush(items: Sequence[int]) -> list[int]:
        await asyncio.sleep(0.01)
        written.extend(items)
        return list(items)

    commits: GroupCommit[int, int] = GroupCommit(flush, is_retryable=lambda _: False)
    futures = [commits.enqueue(number) for number in range(5)]
    await commits.close()
    assert written == [0, 1, 2, 3, 4]
    assert all(future.done() for future in futures)
