"""Settings of the gateway."""

from typing import Literal

from pydantic import Field, SecretStr

from services.runtime.settings import CommaList, ObjectSettings, RuntimeSettings, TokenSettings


class GatewaySettings(RuntimeSettings, ObjectSettings, TokenSettings):
    """What the gateway reads from the environment."""

    host: str = Field(default="127.0.0.1", validation_alias="SORAMI_HOST")
    port: int = Field(default=9006, ge=1, le=65_535, validation_alias="SORAMI_PORT")
    notifier_url: str | None = Field(default=None, validation_alias="SORAMI_NOTIFIER_URL")
    webhook_secret: SecretStr | None = Field(default=None, validation_alias="WEBHOOK_SECRET")
    orphans: Literal["adopt", "first-user", "reject"] = Field(default="adopt", validation_alias="SORAMI_ORPHANS")
    cors_origins: CommaList = Field(default=[], validation_alias="SORAMI_CORS_ORIGINS")
    allow_hosts: CommaList = Field(default=[], validation_alias="SORAMI_ALLOW_HOSTS")
    job_lifetime_hours: float = Field(default=24, gt=0, le=720, validation_alias="SORAMI_JOB_LIFETIME_HOURS")
    jobs_per_minute: int = Field(
        default=6_000,
        ge=0,
        le=1_000_000,
        validation_alias="SORAMI_JOBS_PER_MINUTE",
        description="Jobs a user may ask for within a minute, over all gateways; 0 is no limit.",
    )
    organization_jobs_per_minute: int = Field(
        default=30_000, ge=0, le=1_000_000, validation_alias="SORAMI_ORGANIZATION_JOBS_PER_MINUTE"
    )
    open_jobs: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        validation_alias="SORAMI_OPEN_JOBS",
        description="Jobs of a user that may be open at a time; 0 is no limit.",
    )
