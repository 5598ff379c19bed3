"""What a person reads about a job, in the seeds' French and in English."""

from contracts.failures import Failure, FailureCode
from contracts.kinds import Kind
from contracts.status import JobStatus, Stage

LANGUAGES = ("fr", "en")

_STAGES: dict[Stage, dict[str, str]] = {
    Stage.INITIALIZING: {"fr": "Initialisation du modèle...", "en": "Starting the model..."},
    Stage.GENERATING: {"fr": "Génération en cours...", "en": "Generating..."},
    Stage.SAVING: {"fr": "Enregistrement des {things}...", "en": "Saving the {things}..."},
}
_STATUSES: dict[JobStatus, dict[str, str]] = {
    JobStatus.PENDING: {"fr": "En attente...", "en": "Waiting..."},
    JobStatus.GENERATING: {"fr": "Génération en cours...", "en": "Generating..."},
    JobStatus.COMPLETED: {"fr": "Génération terminée", "en": "Done"},
    JobStatus.FAILED: {"fr": "La génération a échoué", "en": "The generation failed"},
    JobStatus.CANCELLED: {"fr": "Génération annulée", "en": "Cancelled"},
}
_FAILURES: dict[FailureCode, dict[str, str]] = {
    FailureCode.CONTENT_FILTERED: {
        "fr": "Le contenu a été refusé par le filtre de sécurité du fournisseur.",
        "en": "Refused by the provider's safety filter.",
    },
    FailureCode.NO_MEDIA: {"fr": "Aucun média n'a été produit.", "en": "No media was produced."},
    FailureCode.QUOTA: {
        "fr": "Le quota du fournisseur est dépassé.",
        "en": "The provider's quota is used up.",
    },
    FailureCode.RATE_LIMITED: {
        "fr": "Le fournisseur limite le débit ; réessayez dans un instant.",
        "en": "The provider limits the rate; try again in a moment.",
    },
    FailureCode.OVERLOADED: {
        "fr": "Le fournisseur est surchargé ; réessayez plus tard.",
        "en": "The provider is overloaded; try again later.",
    },
    FailureCode.INVALID_INPUT: {
        "fr": "Le fournisseur a refusé la demande.",
        "en": "The provider refused the request.",
    },
    FailureCode.TIMEOUT: {"fr": "Le délai est dépassé.", "en": "It took too long."},
    FailureCode.PROVIDER_AUTH: {
        "fr": "Le fournisseur a refusé nos identifiants.",
        "en": "The provider refused our credentials.",
    },
    FailureCode.PROVIDER_ERROR: {"fr": "Le fournisseur a échoué.", "en": "The provider failed."},
    FailureCode.OUTCOME_UNKNOWN: {
        "fr": "On ne sait pas si le fournisseur a facturé ; relancez si vous le voulez.",
        "en": "It is not known whether the provider charged; start it again if you want to.",
    },
    FailureCode.ATTEMPTS_EXHAUSTED: {
        "fr": "Toutes les tentatives ont échoué.",
        "en": "Every attempt failed.",
    },
    FailureCode.CANCELLED: {"fr": "Génération annulée.", "en": "Cancelled."},
    FailureCode.NO_WORKER: {
        "fr": "Aucun générateur n'était disponible à temps.",
        "en": "No generator was available in time.",
    },
    FailureCode.INTERNAL: {"fr": "Une erreur interne est survenue.", "en": "An internal error occurred."},
}

_AGAINST_POLICY = {
    "fr": "Le contenu a été refusé par les règles de ce service.",
    "en": "Refused by the rules of this service.",
}
_BAD_INPUT_IMAGE = {
    "fr": "L'image de départ ne peut pas être utilisée.",
    "en": "The input image cannot be used.",
}

FAILED_TITLE = "La génération a échoué"


def stage_message(kind: Kind, stage: Stage, language: str = "fr") -> str:
    """Say what is going on; the French sentences are the seeds' own (E2)."""
    return _STAGES[stage][language].format(things=kind.words[language].things)


def status_message(kind: Kind, status: JobStatus, stage: Stage | None, language: str = "fr") -> str:
    """Say where a job stands."""
    if status is JobStatus.GENERATING and stage is not None:
        return stage_message(kind, stage, language)
    return _STATUSES[status][language]


def failure_sentence(failure: Failure, language: str = "fr") -> str:
    """Say in one sentence why a job failed."""
    if failure.code is FailureCode.INVALID_INPUT and (failure.reason or "").startswith(
        ("input_image_", "url_", "upload_")
    ):
        return _BAD_INPUT_IMAGE[language]
    if failure.filtered is not None and failure.filtered.by == "policy":
        return _AGAINST_POLICY[language]
    return _FAILURES[failure.code][language]


def choose_language(accept_language: str | None) -> str:
    """Pick `fr` or `en` from an Accept-Language header; French when nothing is asked for, as in the seeds."""
    best, best_weight = "fr", 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower()[:2]
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best
