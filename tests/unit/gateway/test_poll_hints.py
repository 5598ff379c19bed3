"""When to ask again: soon at first, later as a job grows old, never for one that has ended."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.kinds import IMAGE
from contracts.status import JobStatus
from services.gateway.api.shapes import poll_after
from services.gateway.queries.generations import StatusView

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def view(age: float, status: JobStatus = JobStatus.PENDING) -> StatusView:
    return StatusView(IMAGE, "x", status, None, 0, None, None, NOW - timedelta(seconds=age))


@pytest.mark.parametrize(
    ("age", "eta", "seconds"),
    [(0, None, 1), (5, None, 1), (40, None, 4), (3_600, None, 10), (3_600, 6, 3), (3_600, 1, 1), (40, 600, 4)],
)
def test_the_hint_grows_with_the_jobs_age_and_shrinks_with_what_is_left(age: float, eta: int, seconds: int) -> None:
    assert poll_after(view(age), eta, NOW) == seconds


def test_nobody_need_ask_again_about_what_has_ended() -> None:
    assert poll_after(view(5, JobStatus.COMPLETED), None, NOW) is None
