"""The caller's trace goes on, and a broken one begins anew."""

import pytest

from services.runtime.tracing import continue_trace

TRACE = "ab" * 16


def test_the_callers_trace_goes_on_under_a_new_span() -> None:
    continued = continue_trace(f"00-{TRACE}-{'cd' * 8}-00")
    assert continued[3:35] == TRACE
    assert continued[36:52] != "cd" * 8
    assert continued.endswith("-00")


@pytest.mark.parametrize(
    "sent", [None, "", "x", f"00-{'0' * 32}-{'cd' * 8}-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}"]
)
def test_a_broken_trace_begins_anew(sent: str | None) -> None:
    fresh = continue_trace(sent)
    assert len(fresh) == 55
    assert TRACE not in fresh
