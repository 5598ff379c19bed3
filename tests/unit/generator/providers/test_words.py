"""Failures keep the provider's words and pauses, never a key."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from contracts.failures import FailureCode
from services.generator.providers.remote.failures import by_status, pause
from services.generator.providers.remote.scrub import MOST_WORDS, scrub


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: SECRET.",
        "Authorization: Bearer abcdefgh12345678",
        "see https://x/y?key=abcdefgh12345&z=1",
        "https://s3/x?X-Amz-Signature=0123456789abcdef&x=1",
        "key sk-proj-abc123def456ghi789",
        "AIzaSyA1234567890abcdef",
        "r8_abcdefghijkl1234567",
    ],
)
def test_no_key_stays_in_the_words(text: str) -> None:
    words = scrub(text.replace("SECRET", "s3cr3t-value"), ["s3cr3t-value"])
    assert "***" in words
    for part in ("s3cr3t", "abcdefgh12345", "0123456789abcdef", "abc123def456", "1234567890abcdef", "jkl1234567"):
        assert part not in words


@pytest.mark.parametrize(
    "text", ["API key not valid. Please pass a valid API key.", "width: Must be less than 1440", "skip this; sky-blue"]
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert scrub(text, ["s3cr3t-value"]) == text


def test_words_are_shortened_and_hold_no_control_characters() -> None:
    assert scrub("a\x00b\x1b[31m\udc80c") == "a b [31m c"
    assert len(scrub("x" * 5_000)) == MOST_WORDS


def later(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "words", "least", "most"),
    [
        ({"retry-after": "7"}, "", 7, 7),
        ({"retry-after-ms": "1500", "retry-after": "7"}, "", 1.5, 1.5),
        ({"retry-after": "99999999"}, "", 86_400, 86_400),
        ({}, "Your rate limit resets in ~30s.", 30, 30),
    ],
)
def test_pauses_are_read_in_every_form(headers: Mapping[str, str], words: str, least: float, most: float) -> None:
    seconds = pause(headers, words)
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize(("seconds", "least", "most"), [(3_600, 3_590, 3_600), (-60, 0, 0)])
def test_a_pause_may_be_a_date(seconds: float, least: float, most: float) -> None:
    # Made here: what is made as tests are collected is old by the time they run.
    found = pause({"retry-after": later(seconds)}, "")
    assert found is not None
    assert least <= found <= most


@pytest.mark.parametrize("given", ["", "soon", "-5", "nan", "1e9", "Wed, 99 Foo"])
def test_a_pause_nobody_understands_is_none(given: str) -> None:
    assert pause({"retry-after": given}) is None


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (402, FailureCode.QUOTA, False),
        (404, FailureCode.PROVIDER_ERROR, False),
        (418, FailureCode.PROVIDER_ERROR, False),
        (500, FailureCode.PROVIDER_ERROR, True),
        (520, FailureCode.PROVIDER_ERROR, True),
        (529, FailureCode.OVERLOADED, True),
        (301, FailureCode.PROVIDER_ERROR, False),
    ],
)
def test_a_status_alone_is_typed(status: int, code: FailureCode, retryable: bool) -> None:
    failure = by_status("x", status, "words", {}).failure
    assert (failure.code, failure.retryable, failure.provider_words) == (code, retryable, "words")
