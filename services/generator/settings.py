"""Settings of the generator."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from contracts.provider_settings import Base, Key
from contracts.sharing_settings import SharingFields
from services.generator.provider_settings import ProviderSettings
from services.runtime.settings import CommaList, ObjectSettings, RuntimeSettings


def _render_processes() -> int:
    return max(1, (os.cpu_count() or 2) // 2)


class GeneratorSettings(RuntimeSettings, ObjectSettings, ProviderSettings, SharingFields):
    """What the generator reads from the environment."""

    internal_port: int = Field(default=9007, ge=1, le=65_535, validation_alias="SORAMI_GENERATOR_PORT")
    lease_seconds: float = Field(default=15, ge=3, le=600, validation_alias="SORAMI_LEASE_SECONDS")
    max_attempts: int = Field(default=3, ge=1, le=20, validation_alias="SORAMI_MAX_ATTEMPTS")
    render_processes: int = Field(
        default_factory=_render_processes, ge=1, le=64, validation_alias="SORAMI_RENDER_PROCESSES"
    )
    instant_slots: int = Field(default=64, ge=1, le=1_024, validation_alias="SORAMI_INSTANT_SLOTS")
    remote_slots: int = Field(
        default=32,
        ge=1,
        le=1_024,
        validation_alias="SORAMI_REMOTE_SLOTS",
        description="Submits and downloads of each remote provider at the same time; what it renders needs no slot.",
    )
    janitor_age_hours: float = Field(
        default=48,
        ge=1,
        le=8_760,
        validation_alias="SORAMI_JANITOR_AGE_HOURS",
        description="How old an object that no row names must be before the janitor removes it.",
    )
    task_days: float = Field(
        default=30,
        ge=1,
        le=3_650,
        validation_alias="SORAMI_TASK_DAYS",
        description="Days after a job's end that its task keeps what was asked for and what came of it.",
    )
    media_metadata: Literal["off", "origin", "prompt"] = Field(
        default="origin",
        validation_alias="SORAMI_MEDIA_METADATA",
        description="What files tell of how they were made: nothing; job, model, date and software; the prompt too.",
    )
    c2pa_certificates: Path | None = Field(
        default=None,
        validation_alias="SORAMI_C2PA_CERTIFICATES",
        description="A chain in PEM, the signing certificate first; with its key every file gets a C2PA manifest.",
    )
    c2pa_key: Path | None = Field(default=None, validate_default=True, validation_alias="SORAMI_C2PA_KEY")
    c2pa_timestamps: str | None = Field(
        default=None,
        pattern=r"^https?://",
        validation_alias="SORAMI_C2PA_TIMESTAMPS",
        description="The address of a time-stamping authority (RFC 3161); without one nothing is asked of anybody.",
    )
    providers_here: CommaList = Field(
        default=[],
        validation_alias="SORAMI_GENERATOR_PROVIDERS",
        description="Only these providers' tasks are run by this process; `-name` is all but that one.",
    )
    breaker_failures: int = Field(
        default=5,
        ge=1,
        le=1_000,
        validation_alias="SORAMI_BREAKER_FAILURES",
        description="Failures in a row after which a provider's model gets no work for a while.",
    )
    breaker_seconds: float = Field(
        default=15,
        gt=0,
        le=600,
        validation_alias="SORAMI_BREAKER_SECONDS",
        description="The first such pause; it is doubled while one task after another tries in vain.",
    )
    moderation: Literal["off", "words", "http"] = Field(default="off", validation_alias="SORAMI_MODERATION")
    moderation_words: Path | None = Field(default=None, validation_alias="SORAMI_MODERATION_WORDS")
    moderation_url: Base | None = Field(default=None, validation_alias="SORAMI_MODERATION_URL")
    moderation_token: Key = Field(default=None, validation_alias="SORAMI_MODERATION_TOKEN")
    moderation_seconds: float = Field(default=10, gt=0, le=120, validation_alias="SORAMI_MODERATION_SECONDS")
    moderation_failure: Literal["open", "closed"] = Field(
        default="closed",
        validation_alias="SORAMI_MODERATION_FAILURE",
        description="What becomes of work that a failing policy service cannot judge: it passes, or waits and fails.",
    )
    resubmit_ambiguous: bool = Field(
        default=False,
        validation_alias="SORAMI_RESUBMIT_AMBIGUOUS",
        description="Repeat once a submit of which nobody can tell whether it was charged, instead of failing the job.",
    )

    @field_validator("c2pa_key")
    @classmethod
    def _can_sign(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        certificates = info.data.get("c2pa_certificates")
        if (key is None) != (certificates is None):
            raise ValueError("SORAMI_C2PA_CERTIFICATES and SORAMI_C2PA_KEY are set together or not at all")
        if key is not None and certificates is not None:
            if not (key.is_file() and certificates.is_file()):
                raise ValueError("SORAMI_C2PA_CERTIFICATES and SORAMI_C2PA_KEY must name files that can be read")
            if find_spec("c2pa") is None:
                raise ValueError("signing needs the package c2pa-python: install sorami[c2pa]")
        return key

    @model_validator(mode="after")
    def _policy_is_complete(self) -> "GeneratorSettings":
        if self.moderation == "words" and self.moderation_words is None:
            raise ValueError("SORAMI_MODERATION=words needs SORAMI_MODERATION_WORDS, a file with a word a line")
        if self.moderation == "http" and self.moderation_url is None:
            raise ValueError("SORAMI_MODERATION=http needs SORAMI_MODERATION_URL")
        return self

    provider_webhook_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]",
        validation_alias="SORAMI_PROVIDER_WEBHOOK_URL",
        description="Where providers reach the gateway; SORAMI_PUBLIC_URL if that is https, else they are asked only.",
    )

    @property
    def wake_address(self) -> str | None:
        """Where providers may call us when something moved, None where they cannot reach us."""
        address = self.provider_webhook_url or (self.public_url if self.public_url.startswith("https://") else None)
        return address.rstrip("/") if address else None

    def runs(self, provider: str) -> bool:
        """Tell whether this process runs tasks of the provider; it accepts those of all for whoever does."""
        named = [name for name in self.providers_here if not name.startswith("-")]
        return f"-{provider}" not in self.providers_here and (not named or provider in named)
