"""When a provider gets no work for a while: by what, for how long, and how it is believed again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.breakers import (
    COUNTED,
    LONGEST_PAUSE,
    LONGEST_REFUSED,
    OF_PROVIDER,
    OURS,
    REFUSED_PAUSE,
    Breaker,
    BreakerRules,
    Door,
    after_acceptance,
    after_answer,
    after_failure,
    scope_of,
)
from contracts.failures import Failure, FailureCode

RULES = BreakerRules(failures=3, pause=10)


def said(code: FailureCode) -> Failure:
    return Failure.of(code, "said")


@pytest.mark.parametrize("code", sorted(COUNTED))
def test_it_opens_after_so_many_failures_in_a_row_and_not_before(code: FailureCode) -> None:
    breaker = Breaker()
    for failures in (1, 2):
        breaker = after_failure(breaker, said(code), RULES)
        assert (breaker.door, breaker.failures) == (Door.CLOSED, failures)
    breaker = after_failure(breaker, said(code), RULES)
    assert (breaker.door, breaker.pause) == (Door.OPEN, 10)


def test_one_success_starts_the_count_anew() -> None:
    breaker = after_answer(after_failure(Breaker(), said(FailureCode.OVERLOADED), RULES))
    assert breaker == Breaker()


@pytest.mark.parametrize("code", sorted(OF_PROVIDER))
def test_a_refused_key_or_an_empty_balance_opens_it_at_once_for_longer_and_for_every_model(code: FailureCode) -> None:
    assert scope_of(code, "flux") == ""
    breaker = after_failure(Breaker(), said(code), RULES)
    assert (breaker.door, breaker.pause) == (Door.OPEN, REFUSED_PAUSE)


@pytest.mark.parametrize("code", sorted(set(FailureCode) - COUNTED - OF_PROVIDER - OURS))
def test_what_is_said_of_the_order_is_no_failure_of_the_provider(code: FailureCode) -> None:
    assert scope_of(code, "flux") == "flux"
    assert after_failure(Breaker(Door.HALF_OPEN, 3, 1, 60), said(code), RULES) == Breaker()


@pytest.mark.parametrize("code", sorted(OURS))
def test_our_own_mistakes_say_nothing(code: FailureCode) -> None:
    breaker = Breaker(Door.HALF_OPEN, 3, 1, 60)
    assert after_failure(breaker, said(code), RULES) == breaker


def test_a_probe_that_fails_shuts_it_for_twice_as_long_up_to_a_bound() -> None:
    pauses = []
    breaker = after_failure(Breaker(failures=2), said(FailureCode.TIMEOUT), RULES)
    for _ in range(9):
        pauses.append(breaker.pause)
        tried = Breaker(Door.HALF_OPEN, breaker.failures, breaker.openings, 60)
        breaker = after_failure(tried, said(FailureCode.TIMEOUT), RULES)
    assert pauses[:4] == [10, 20, 40, 80]
    assert breaker.pause == LONGEST_PAUSE < LONGEST_REFUSED


def test_what_the_provider_asks_for_is_kept() -> None:
    breaker = after_failure(Breaker(failures=2), said(FailureCode.RATE_LIMITED), RULES, retry_after=3_000)
    assert breaker.pause == 3_000


def test_an_accepted_probe_opens_the_door_on_trial() -> None:
    trial = after_acceptance(Breaker(Door.HALF_OPEN, 3, 2, 60), RULES)
    assert trial.door is Door.CLOSED
    again = after_failure(trial, said(FailureCode.PROVIDER_ERROR), RULES)
    assert (again.door, again.pause) == (Door.OPEN, 40)
    assert after_answer(trial) == Breaker()


def test_work_that_was_begun_before_changes_nothing_of_an_open_one() -> None:
    shut = Breaker(Door.OPEN, 3, 1, 10)
    assert after_answer(shut) == after_acceptance(shut, RULES) == shut
    late = after_failure(shut, said(FailureCode.OVERLOADED), RULES)
    assert (late.door, late.pause, late.openings) == (Door.OPEN, 10, 1)


@given(st.lists(st.sampled_from([*FailureCode, "answer", "accept", "probe"]), max_size=60))
def test_no_history_leaves_the_rules(history: list[FailureCode | str]) -> None:
    breaker = Breaker()
    for step in history:
        if isinstance(step, FailureCode):
            breaker = after_failure(breaker, said(step), RULES)
        elif step == "probe" and breaker.door is Door.OPEN:
            breaker = Breaker(Door.HALF_OPEN, breaker.failures, breaker.openings, 60)
        else:
            breaker = after_answer(breaker) if step == "answer" else after_acceptance(breaker, RULES)
        assert 0 <= breaker.pause <= LONGEST_REFUSED
        assert breaker.door is not Door.CLOSED or breaker.failures < RULES.failures
        assert breaker.door is not Door.OPEN or breaker.pause > 0
