"""Settings of the generator."""

import os

from pydantic import Field

from services.generator.provider_settings import ProviderSettings
from services.runtime.settings import CommaList, ObjectSettings, RuntimeSettings


def _render_processes() -> int:
    return max(1, (os.cpu_count() or 2) // 2)


class GeneratorSettings(RuntimeSettings, ObjectSettings, ProviderSettings):
    """What the generator reads from the environment."""

    health_host: str = Field(default="127.0.0.1", validation_alias="SORAMI_HEALTH_HOST")
    health_port: int = Field(default=9007, ge=1, le=65_535, validation_alias="SORAMI_GENERATOR_PORT")
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
    providers_here: CommaList = Field(
        default=[],
        validation_alias="SORAMI_GENERATOR_PROVIDERS",
        description="Only these providers' tasks are run by this process; `-name` is all but that one.",
    )
    resubmit_ambiguous: bool = Field(
        default=False,
        validation_alias="SORAMI_RESUBMIT_AMBIGUOUS",
        description="Repeat once a submit of which nobody can tell whether it was charged, instead of failing the job.",
    )

    def runs(self, provider: str) -> bool:
        """Tell whether this process runs tasks of the provider; it accepts those of all for whoever does."""
        named = [name for name in self.providers_here if not name.startswith("-")]
        return f"-{provider}" not in self.providers_here and (not named or provider in named)
