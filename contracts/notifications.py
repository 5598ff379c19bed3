"""What the bell says when a job ends: the seeds' words (M1) and their siblings for videos and failures."""

import re
from dataclasses import dataclass

from contracts.failures import Failure, FailureCode, Filtered
from contracts.kinds import KINDS, Kind
from contracts.messages import FAILED_TITLE, failure_sentence
from contracts.status import JobStatus


@dataclass(frozen=True, slots=True)
class Notice:
    """The text of a notification, in the seeds' French."""

    type: str
    title: str
    message: str


def notice_for(kind: Kind, status: JobStatus, file_count: int, failure: Failure | None) -> Notice | None:
    """Say what to notify at the end of a job; a cancelled job notifies nobody, since its owner asked for it."""
    if status is JobStatus.COMPLETED:
        words = kind.words["fr"]
        return Notice(kind.completed_type, words.completed_title, words.completed_message.format(count=file_count))
    if status is JobStatus.FAILED and failure is not None:
        return Notice(kind.failed_type, FAILED_TITLE, failure_sentence(failure))
    return None


ABOUT_ENDPOINTS = "webhook_endpoint"
"""The `kind` of notifications that are about a webhook endpoint instead of a job."""
WEBHOOK_ENDPOINT_DISABLED = "WEBHOOK_ENDPOINT_DISABLED"
WEBHOOK_ENDPOINT_FAILING = "WEBHOOK_ENDPOINT_FAILING"
WEBHOOK_MESSAGE_EXHAUSTED = "WEBHOOK_MESSAGE_EXHAUSTED"

_ENDPOINT_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    WEBHOOK_ENDPOINT_DISABLED: {
        "fr": (
            "Webhook désactivé",
            "L'adresse de {host} n'est plus appelée : {reason}. Réactivez-la, puis récupérez ce qui a été manqué.",
        ),
        "en": (
            "Webhook disabled",
            "The address at {host} is called no more: {reason}. Enable it again, then recover what was missed.",
        ),
    },
    WEBHOOK_ENDPOINT_FAILING: {
        "fr": (
            "Webhook en échec",
            "L'adresse de {host} échoue depuis 24 heures ; elle sera désactivée après 5 jours.",
        ),
        "en": (
            "Webhook failing",
            "The address at {host} has been failing for 24 hours; after 5 days it will be disabled.",
        ),
    },
    WEBHOOK_MESSAGE_EXHAUSTED: {
        "fr": (
            "Un message n'a pas pu être remis",
            "L'adresse de {host} n'a pas pris un message malgré toutes les tentatives ; vous pouvez le renvoyer.",
        ),
        "en": (
            "A message could not be delivered",
            "The address at {host} did not take a message in any attempt; you can send it again.",
        ),
    },
}
_REASONS = {
    "gone": {"fr": "elle a répondu 410", "en": "it answered 410"},
    "failing": {"fr": "elle échoue depuis 5 jours", "en": "it has been failing for 5 days"},
}


def endpoint_notice(type_: str, host: str, reason: str | None = None, language: str = "fr") -> Notice:
    """Say what happened to a webhook endpoint; `reason` is why it was disabled."""
    title, message = _ENDPOINT_WORDS[type_][language]
    because = _REASONS.get(reason or "", {}).get(language, "")
    return Notice(type_, title, message.format(host=host, reason=because))


def _endpoint_notice_in(notice: Notice, language: str) -> Notice:
    """Say a stored notice about an endpoint in another language, with the host and the reason of the first."""
    _, french = _ENDPOINT_WORDS[notice.type]["fr"]
    pattern = re.escape(french).replace(r"\{host\}", "(?P<host>.*)").replace(r"\{reason\}", "(?P<reason>.*)")
    found = re.fullmatch(pattern, notice.message)
    if found is None:
        return notice
    said = found.groupdict().get("reason")
    reason = next((code for code, words in _REASONS.items() if words["fr"] == said), None)
    return endpoint_notice(notice.type, found["host"], reason, language)


def endpoint_words(type_: str) -> str | None:
    """Return the notification's type that a webhook's type about endpoints is told in."""
    return {
        "endpoint.failing": WEBHOOK_ENDPOINT_FAILING,
        "endpoint.disabled": WEBHOOK_ENDPOINT_DISABLED,
        "message.exhausted": WEBHOOK_MESSAGE_EXHAUSTED,
    }.get(type_)


_FAILED_TITLE_EN = "The generation failed"
_COUNT = re.compile(r"\d+")
_FAILURES = [Failure.of(code, "") for code in FailureCode]
_FAILURES.append(Failure.of(FailureCode.INVALID_INPUT, "").model_copy(update={"reason": "url_"}))
_FAILURES.append(Failure.of(FailureCode.CONTENT_FILTERED, "", filtered=Filtered.of("input", by="policy")))
_FAILURE_OF = {failure_sentence(failure, "fr"): failure for failure in _FAILURES}


def in_language(notice: Notice, language: str) -> Notice:
    """Say a stored notice in a language; rows hold the seeds' French, and what is not ours stays as it is."""
    if language != "en":
        return notice
    if notice.type in _ENDPOINT_WORDS:
        return _endpoint_notice_in(notice, language)
    for kind in KINDS.values():
        if notice.type == kind.completed_type:
            words, count = kind.words["en"], _COUNT.search(notice.message)
            message = words.completed_message.format(count=count[0]) if count else notice.message
            return Notice(notice.type, words.completed_title, message)
        if notice.type == kind.failed_type:
            failure = _FAILURE_OF.get(notice.message)
            said = failure_sentence(failure, "en") if failure else notice.message
            return Notice(notice.type, _FAILED_TITLE_EN, said)
    return notice
