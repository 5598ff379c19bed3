"""Notices are stored in French and said in English with the same reason; those of endpoints name their host."""

import pytest

from contracts.failures import Failure, FailureCode, Filtered
from contracts.kinds import KINDS
from contracts.messages import failure_sentence
from contracts.notifications import (
    WEBHOOK_ENDPOINT_DISABLED,
    WEBHOOK_ENDPOINT_FAILING,
    WEBHOOK_MESSAGE_EXHAUSTED,
    Notice,
    endpoint_notice,
    in_language,
)


@pytest.mark.parametrize(
    ("type_", "reason"),
    [
        (WEBHOOK_ENDPOINT_DISABLED, "gone"),
        (WEBHOOK_ENDPOINT_DISABLED, "failing"),
        (WEBHOOK_ENDPOINT_FAILING, None),
        (WEBHOOK_MESSAGE_EXHAUSTED, None),
    ],
)
def test_a_stored_notice_is_said_in_english(type_: str, reason: str | None) -> None:
    stored = endpoint_notice(type_, "hooks.example.com", reason)
    english = endpoint_notice(type_, "hooks.example.com", reason, "en")
    assert in_language(stored, "en") == english
    assert in_language(stored, "fr") == stored
    assert "hooks.example.com" in stored.message
    assert stored.title != english.title


def test_words_that_are_not_ours_stay_as_they_are() -> None:
    foreign = Notice(WEBHOOK_ENDPOINT_DISABLED, "Titre", "Autre chose")
    assert in_language(foreign, "en") == foreign


@pytest.mark.parametrize(
    "failure",
    [
        *(Failure.of(code, "") for code in FailureCode),
        Failure.of(FailureCode.CONTENT_FILTERED, "", filtered=Filtered.of("input", by="policy")),
    ],
    ids=lambda failure: f"{failure.code}{'-by-policy' if failure.filtered else ''}",
)
def test_why_a_job_failed_is_said_in_english(failure: Failure) -> None:
    stored = Notice(KINDS["image"].failed_type, "Titre", failure_sentence(failure, "fr"))
    assert in_language(stored, "en").message == failure_sentence(failure, "en")
