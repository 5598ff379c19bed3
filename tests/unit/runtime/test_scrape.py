"""What a scrape tells while something that is measured does not answer."""

import asyncio
import time

import pytest

from services.runtime import metrics


async def test_what_does_not_answer_delays_a_scrape_by_one_timeout_and_hides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "SAMPLE_TIMEOUT", 0.2)
    failed = metrics.SAMPLES_FAILED._value.get()

    async def never() -> None:
        await asyncio.Event().wait()

    began = time.monotonic()
    told = await metrics.scrape([never, never, never, lambda: metrics.COMMIT_WAITING.labels("test").set(7)])
    assert time.monotonic() - began < 0.5
    assert b'sorami_commit_waiting{commit="test"} 7.0' in told
    assert metrics.SAMPLES_FAILED._value.get() == failed + 3
    metrics.COMMIT_WAITING.remove("test")
