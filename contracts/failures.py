"""Why a job failed, typed: the same code in HTTP answers, events, rows and webhooks."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Charged = Literal["yes", "no", "unknown"]
FilteredBy = Literal["provider", "policy"]


class FailureCode(StrEnum):
    CONTENT_FILTERED = "content_filtered"
    NO_MEDIA = "no_media"
    QUOTA = "quota"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    INVALID_INPUT = "invalid_input"
    TIMEOUT = "timeout"
    PROVIDER_AUTH = "provider_auth"
    PROVIDER_ERROR = "provider_error"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    CANCELLED = "cancelled"
    NO_WORKER = "no_worker"
    INTERNAL = "internal"


RETRYABLE = frozenset(
    {
        FailureCode.RATE_LIMITED,
        FailureCode.OVERLOADED,
        FailureCode.TIMEOUT,
        FailureCode.PROVIDER_ERROR,
        FailureCode.INTERNAL,
        FailureCode.NO_WORKER,
    }
)

MAX_WORDS = 2_000


class Filtered(BaseModel):
    """What a content filter took: what was asked (input), all that was made (output), or a part of it (partial)."""

    model_config = ConfigDict(frozen=True)

    stage: Literal["input", "output", "partial"]
    by: FilteredBy = Field(
        default="provider", description="The provider's own filter, or a policy of this installation."
    )
    reasons: list[str] = Field(
        default_factory=list, max_length=20, description="What the filter gave as its reasons, in its own words."
    )

    @classmethod
    def of(
        cls, stage: str, reasons: Iterable[str] = (), *, by: Literal["provider", "policy"] = "provider"
    ) -> "Filtered":
        """Build it from reasons of any length; what is no output counts as input."""
        place: Any = stage if stage in ("output", "partial") else "input"
        return cls(stage=place, by=by, reasons=[reason[:200] for reason in dict.fromkeys(reasons) if reason][:20])

    def as_partial(self) -> "Filtered":
        """Return it as said of a part of the media, the others of which came."""
        return self.model_copy(update={"stage": "partial"})


class Failure(BaseModel):
    """A typed failure; `provider_words` keeps what the provider itself said, never a secret or a stack."""

    model_config = ConfigDict(frozen=True)

    code: FailureCode
    message: str = Field(max_length=MAX_WORDS)
    retryable: bool = False
    charged: Charged = "no"
    stage: str | None = None
    provider_words: str | None = Field(default=None, max_length=MAX_WORDS)
    reason: str | None = Field(
        default=None,
        max_length=64,
        description="A stable code of what exactly was wrong, where `code` alone does not say, e.g. url_port.",
    )
    filtered: Filtered | None = Field(
        default=None, description="Which filter took what, where `code` says that one did."
    )

    @classmethod
    def of(
        cls,
        code: FailureCode,
        message: str,
        *,
        charged: Charged = "no",
        stage: str | None = None,
        provider_words: str | None = None,
        reason: str | None = None,
        filtered: Filtered | None = None,
    ) -> "Failure":
        """Build a failure whose `retryable` follows from its code."""
        return cls(
            code=code,
            message=message[:MAX_WORDS],
            retryable=code in RETRYABLE,
            charged=charged,
            stage=stage,
            provider_words=provider_words[:MAX_WORDS] if provider_words else None,
            reason=reason,
            filtered=filtered,
        )
