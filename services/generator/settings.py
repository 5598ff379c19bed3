"""Settings of the generator."""

import os

from pydantic import Field

from services.generator.provider_settings import ProviderSettings
from services.runtime.settings import ObjectSettings, RuntimeSettings


def _render_processes() -> int:
    return max(1, (os.cpu_count() or 2) // 2)


class GeneratorSettings(RuntimeSettings, ObjectSettings, ProviderSettings):
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
    resubmit_ambiguous: bool = Field(
        default=False,
        validation_alias="SORAMI_RESUBMIT_AMBIGUOUS",
        description="Repeat once a submit of which nobody can tell whether it was charged, instead of failing the job.",
    )
