"""A pace is felt only by those who come often."""

import time

from services.runtime.group_commit import GroupCommit
from services.runtime.pace import BURST, Pace


async def test_a_few_turns_wait_for_nothing_and_more_keep_the_pace() -> None:
    pace = Pace(0.05)

    began = time.monotonic()
    for _ in range(BURST):
        await pace.next()
    at_once = time.monotonic() - began
    for _ in range(3):
        await pace.next()

    assert at_once < 0.05
    assert time.monotonic() - began >= 0.1


async def test_what_comes_during_the_pace_is_written_in_one_group() -> None:
    groups: list[int] = []

    async def flush(items: object) -> list[int]:
        groups.append(len(list(items)))  # type: ignore[call-overload]
        return [0] * groups[-1]

    commits: GroupCommit[int, int] = GroupCommit(flush, is_retryable=lambda _: False, lanes=1, pace=0.05)
    for number in range(BURST + 1):
        await commits.submit(number)
    futures = [commits.enqueue(number) for number in range(20)]
    for future in futures:
        await future

    assert groups[-1] == 20
