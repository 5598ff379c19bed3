"""Errors of Google's generative APIs, which Gemini and Veo share."""

import re
from typing import Any, Final

from contracts.failures import FailureCode
from services.generator.providers.base import ProviderFailed
from services.generator.providers.remote.api import Answer, dig, dig_list
from services.generator.providers.remote.failures import INPUT_PROMPT, by_status, failed, filtered, pause

_SAFETY: Final = re.compile(r"\b(safety|responsible ai|usage guidelines|prohibited|blocked)\b", re.IGNORECASE)
# google.rpc.Code, as operations carry it: our code, may it be submitted again.
_BY_CODE: Final = {
    3: (FailureCode.INVALID_INPUT, False),
    4: (FailureCode.TIMEOUT, True),
    7: (FailureCode.PROVIDER_AUTH, False),
    8: (FailureCode.RATE_LIMITED, True),
    9: (FailureCode.QUOTA, False),
    13: (FailureCode.PROVIDER_ERROR, True),
    14: (FailureCode.OVERLOADED, True),
    16: (FailureCode.PROVIDER_AUTH, False),
}


def refused(name: str, answer: Answer, *, made_at_once: bool = True) -> ProviderFailed:
    """Type an error answer to a submit; where the answer is the result, an error of its making may have cost."""
    details = _details(answer)
    words = answer.words
    wait = pause(answer.headers, words) or _retry_delay(details)
    reason = " ".join(str(dig(item, "reason", default="")) for item in details)
    message = f"{name} answered {answer.status}"
    match answer.status, answer.at("error", "status"):
        case 400, _ if "API_KEY_INVALID" in reason:
            return failed(FailureCode.PROVIDER_AUTH, message, words=words)
        case 400, "FAILED_PRECONDITION":
            return failed(FailureCode.QUOTA, f"{name} refuses this account: billing or region", words=words)
        case 400, _ if _SAFETY.search(words):
            message = f"{name} refused the prompt"
            return filtered(message, words=words, charged="no", stage=INPUT_PROMPT, reasons=["safety"])
        case ((429 | 503), _) if "MODEL_CAPACITY_EXHAUSTED" in reason + words:
            return failed(FailureCode.OVERLOADED, message, words=words, retry_after=wait)
        case 429, _ if _is_quota(details, words):
            return failed(FailureCode.QUOTA, f"{name}: the quota of the day or the budget is used up", words=words)
        case ((500 | 504), _) if made_at_once:
            return _with_charge_unknown(name, answer)
    typed = by_status(name, answer.status, words, answer.headers)
    return ProviderFailed(typed.failure, retry_after=typed.retry_after or wait)


def ended(name: str, error: Any, scrubbed: str) -> ProviderFailed:
    """Type the error an operation ended with; Google does not charge these."""
    if _SAFETY.search(scrubbed):
        message = f"{name} refused the request"
        return filtered(message, words=scrubbed, charged="no", stage=INPUT_PROMPT, reasons=["safety"])
    given = dig(error, "code")
    number = given if isinstance(given, int) else 0
    code, retryable = _BY_CODE.get(number, (FailureCode.PROVIDER_ERROR, False))
    if code is FailureCode.RATE_LIMITED and "quota" in scrubbed.lower():
        code, retryable = FailureCode.QUOTA, False
    return failed(code, f"{name} ended the operation with error {number}", words=scrubbed, retryable=retryable)


def _with_charge_unknown(name: str, answer: Answer) -> ProviderFailed:
    typed = by_status(name, answer.status, answer.words, answer.headers)
    failure = typed.failure.model_copy(update={"charged": "unknown"})
    return ProviderFailed(failure, retry_after=typed.retry_after)


def _details(answer: Answer) -> list[Any]:
    return answer.list_at("error", "details")


def _is_quota(details: list[Any], words: str) -> bool:
    ids = " ".join(
        str(dig(violation, "quotaId", default="")) for item in details for violation in dig_list(item, "violations")
    )
    return "PerDay" in ids or "spend" in words.lower() or "billing" in words.lower()


def _retry_delay(details: list[Any]) -> float | None:
    for item in details:
        given = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)s", str(dig(item, "retryDelay", default="")))
        if given:
            return float(given[1])
    return None
