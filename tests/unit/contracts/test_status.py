"""The reducer keeps its promises over duplicated, dropped, reordered, late and stale histories."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.failures import FailureCode
from contracts.status import (
    TERMINAL,
    Completed,
    Failed,
    Ignored,
    JobState,
    JobStatus,
    Moved,
    Progressed,
    Report,
    Stage,
    prisma_status,
    reduce,
)

_RANK = {JobStatus.PENDING: 0, JobStatus.GENERATING: 1}

fences = st.integers(0, 4)
reports = st.one_of(
    st.builds(Progressed, st.sampled_from(Stage), st.integers(0, 100), fences),
    st.builds(Completed, fences),
    st.builds(Failed, st.sampled_from(FailureCode), fences),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Report]:
    """A history as a topic may deliver it: shuffled, with repeats and gaps."""
    told = draw(st.lists(reports, max_size=12))
    again = draw(st.lists(st.sampled_from(told), max_size=8)) if told else []
    return draw(st.permutations(told + again))


def run(history: list[Report]) -> list[JobState]:
    states = [JobState()]
    for report in history:
        decision = reduce(states[-1], report)
        if isinstance(decision, Moved):
            states.append(decision.state)
    return states


@settings(max_examples=800)
@given(histories())
def test_no_history_moves_a_job_backwards(history: list[Report]) -> None:
    states = run(history)
    for before, after in pairwise(states):
        assert before.status not in TERMINAL
        assert _RANK.get(after.status, 2) >= _RANK[before.status]
        assert after.progress >= before.progress
        assert after.fence >= before.fence
        assert after.seq == before.seq + 1


@settings(max_examples=400)
@given(histories())
def test_telling_a_history_twice_changes_nothing_more(history: list[Report]) -> None:
    once = run(history)[-1]
    for report in history:
        if once.is_terminal:
            assert reduce(once, report) is Ignored.TERMINAL


@settings(max_examples=400)
@given(histories())
def test_every_move_is_seen(history: list[Report]) -> None:
    for before, after in pairwise(run(history)):
        shown = (before.status, before.stage, before.progress)
        assert shown != (after.status, after.stage, after.progress)


def test_late_progress_does_not_reopen_a_completed_job() -> None:
    done = JobState(JobStatus.COMPLETED, None, 100, 4, 1)
    assert reduce(done, Progressed(Stage.SAVING, 90, 1)) is Ignored.TERMINAL


def test_a_completion_may_come_before_any_progress() -> None:
    decision = reduce(JobState(), Completed(1))
    assert isinstance(decision, Moved)
    assert (decision.state.status, decision.state.progress) == (JobStatus.COMPLETED, 100)


def test_a_stale_worker_is_not_heard() -> None:
    assert reduce(JobState(JobStatus.GENERATING, Stage.GENERATING, 60, 2, 3), Completed(2)) is Ignored.STALE_FENCE


def test_a_new_lease_that_starts_over_does_not_lower_progress() -> None:
    state = JobState(JobStatus.GENERATING, Stage.GENERATING, 60, 2, 1)
    assert reduce(state, Progressed(Stage.INITIALIZING, 25, 2)) is Ignored.LATE


def test_progress_alone_never_says_one_hundred() -> None:
    decision = reduce(JobState(), Progressed(Stage.SAVING, 100))
    assert isinstance(decision, Moved)
    assert decision.state.progress == 99


def test_only_a_cancelled_failure_cancels() -> None:
    cancelled = reduce(JobState(), Failed(FailureCode.CANCELLED))
    failed = reduce(JobState(), Failed(FailureCode.TIMEOUT))
    assert isinstance(cancelled, Moved)
    assert isinstance(failed, Moved)
    assert (cancelled.state.status, failed.state.status) == (JobStatus.CANCELLED, JobStatus.FAILED)


def test_a_cancelled_job_stands_as_failed_in_prismas_enum() -> None:
    assert prisma_status(JobStatus.CANCELLED) == "FAILED"
