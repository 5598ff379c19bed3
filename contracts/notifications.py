"""What the bell says when a job ends: the seeds' words (M1) and their siblings for videos and failures."""

from dataclasses import dataclass

from contracts.failures import Failure
from contracts.kinds import Kind
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
        return Notice(kind.completed_type, kind.completed_title, kind.completed_message.format(count=file_count))
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
