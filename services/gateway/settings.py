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
    restore_days: float = Field(default=30, ge=0, le=3_650, validation_alias="SORAMI_RESTORE_DAYS")
    uploads_per_day: int = Field(default=200, ge=0, le=1_000_000, validation_alias="SORAMI_UPLOADS_PER_DAY")
    upload_bytes_per_day: int = Field(default=1024**3, ge=0, le=2**50, validation_alias="SORAMI_UPLOAD_BYTES_PER_DAY")
    upload_days: float = Field(default=30, gt=0, le=3_650, validation_alias="SORAMI_UPLOAD_DAYS")
    job_lifetime_hours: float = Field(default=24, gt=0, le=720, validation_alias="SORAMI_JOB_LIFETIME_HOURS")
