"""Failures of remote providers in our type: by HTTP status, with the provider's own words and pause."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from contracts.failures import RETRYABLE, Charged, Failure, FailureCode, Filtered
from services.generator.providers.base import OutcomeUnknown, ProviderFailed

LONGEST_PAUSE: Final = 86_400.0
"""Seconds; whoever asks for more has told us nothing that a retry can use."""

INPUT_PROMPT: Final = "input_prompt"
INPUT_IMAGE: Final = "input_image"
OUTPUT: Final = "output"

# What a status means where a provider documents nothing else: code, may it be sent again.
_BY_STATUS: Final[Mapping[int, tuple[FailureCode, bool]]] = {
    400: (FailureCode.INVALID_INPUT, False),
    401: (FailureCode.PROVIDER_AUTH, False),
    402: (FailureCode.QUOTA, False),
    403: (FailureCode.PROVIDER_AUTH, False),
    404: (FailureCode.PROVIDER_ERROR, False),
    405: (FailureCode.PROVIDER_ERROR, False),
    408: (FailureCode.TIMEOUT, True),
    410: (FailureCode.PROVIDER_ERROR, False),
    413: (FailureCode.INVALID_INPUT, False),
    422: (FailureCode.INVALID_INPUT, False),
    429: (FailureCode.RATE_LIMITED, True),
    500: (FailureCode.PROVIDER_ERROR, True),
    503: (FailureCode.OVERLOADED, True),
    504: (FailureCode.TIMEOUT, True),
    529: (FailureCode.OVERLOADED, True),
}


def failed(
    code: FailureCode,
    message: str,
    *,
    words: str | None = None,
    charged: Charged = "no",
    stage: str | None = None,
    retryable: bool | None = None,
    retry_after: float | None = None,
    reason: str | None = None,
) -> ProviderFailed:
    """Build a typed failure; `retryable` follows from the code unless the wire says otherwise."""
    failure = Failure.of(code, message, charged=charged, stage=stage, provider_words=words, reason=reason)
    if retryable is not None and retryable != failure.retryable:
        failure = failure.model_copy(update={"retryable": retryable})
    return ProviderFailed(failure, retry_after=retry_after)


def filtered(
    message: str,
    *,
    words: str | None = None,
    charged: Charged = "unknown",
    stage: str,
    reasons: Iterable[str] = (),
) -> ProviderFailed:
    """A filter of the provider refused the prompt, the input image or what was made, for `reasons` of its own."""
    failure = Failure.of(
        FailureCode.CONTENT_FILTERED,
        message,
        charged=charged,
        stage=stage,
        provider_words=words,
        filtered=Filtered.of(stage, reasons),
    )
    return ProviderFailed(failure)


def unknown_outcome(message: str, *, words: str | None = None, retry_after: float | None = None) -> OutcomeUnknown:
    """A submit that may have been executed."""
    failure = Failure.of(FailureCode.OUTCOME_UNKNOWN, message, charged="unknown", provider_words=words)
    return OutcomeUnknown(failure, retry_after=retry_after)


def by_status(name: str, status: int, words: str, headers: Mapping[str, str]) -> ProviderFailed:
    """Type an error answer by its HTTP status alone; 5xx that are not listed count as the provider's own error."""
    fallback = (FailureCode.PROVIDER_ERROR, status >= 500)
    code, retryable = _BY_STATUS.get(status, fallback)
    return failed(
        code,
        f"{name} answered {status}",
        words=words,
        retryable=retryable and code in RETRYABLE,
        retry_after=pause(headers),
    )


def pause(headers: Mapping[str, str], words: str = "") -> float | None:
    """Return the seconds a provider asks to wait: `retry-after-ms`, `Retry-After` (seconds or a date), or its words."""
    milliseconds = headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d{1,12}(\.\d+)?", milliseconds):
        return _bounded(float(milliseconds) / 1_000)
    given = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", given):
        return _bounded(float(given))
    if given and (moment := _date(given)) is not None:
        return _bounded((moment - datetime.now(UTC)).total_seconds())
    spoken = re.search(r"(?:resets? in|retry in|try again in)\s*~?\s*(\d{1,6}(?:\.\d+)?)\s*s", words, re.IGNORECASE)
    return _bounded(float(spoken[1])) if spoken else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bounded(seconds: float) -> float:
    return max(0.0, min(seconds, LONGEST_PAUSE))
