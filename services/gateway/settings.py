"""Settings of the gateway."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.media_days import read_media_days
from contracts.provider_settings import ProviderFields
from contracts.sharing_settings import SharingFields
from services.runtime.identity import Operators
from services.runtime.settings import (
    CommaList,
    ObjectSettings,
    RuntimeSettings,
    ServerSettings,
    SharedSecret,
    TokenSettings,
    WebhookSettings,
)


def _media_days(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return read_media_days([part.strip() for part in value.split(",") if part.strip()])


class OfferSettings(BaseSettings, ProviderFields):
    """What the environment says of remote providers: here it decides which models a request may name."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)


class GatewaySettings(RuntimeSettings, ServerSettings, ObjectSettings, TokenSettings, WebhookSettings, SharingFields):
    """What the gateway reads from the environment."""

    host: str = Field(default="127.0.0.1", validation_alias="SORAMI_HOST")
    port: int = Field(default=9006, ge=1, le=65_535, validation_alias="SORAMI_PORT")
    notifier_url: str | None = Field(default=None, validation_alias="SORAMI_NOTIFIER_URL")
    webhook_secret: SharedSecret = Field(default=None, validation_alias="WEBHOOK_SECRET")
    orphans: Literal["adopt", "first-user", "reject"] = Field(default="adopt", validation_alias="SORAMI_ORPHANS")
    cors_origins: CommaList = Field(default=[], validation_alias="SORAMI_CORS_ORIGINS")
    allow_hosts: CommaList = Field(default=[], validation_alias="SORAMI_ALLOW_HOSTS")
    restore_days: float = Field(default=30, ge=0, le=3_650, validation_alias="SORAMI_RESTORE_DAYS")
    media_days: Annotated[dict[str, float], NoDecode, BeforeValidator(_media_days)] = Field(
        default={},
        validation_alias="SORAMI_MEDIA_DAYS",
        description="Days after which media are deleted: 90,organization:<id>=365,user:<id>=0; 0 is for ever.",
    )
    uploads_per_day: int = Field(default=200, ge=0, le=1_000_000, validation_alias="SORAMI_UPLOADS_PER_DAY")
    upload_bytes_per_day: int = Field(default=1024**3, ge=0, le=2**50, validation_alias="SORAMI_UPLOAD_BYTES_PER_DAY")
    upload_days: float = Field(default=30, gt=0, le=3_650, validation_alias="SORAMI_UPLOAD_DAYS")
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
    internal_port: int = Field(default=9016, ge=1, le=65_535, validation_alias="SORAMI_GATEWAY_INTERNAL_PORT")
    open_jobs: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        validation_alias="SORAMI_OPEN_JOBS",
        description="Jobs of a user that may be open at a time; 0 is no limit.",
    )
    oidc_issuer: str | None = Field(default=None, min_length=1, validation_alias="SORAMI_OIDC_ISSUER")
    oidc_client_id: str | None = Field(
        default=None, min_length=1, validate_default=True, validation_alias="SORAMI_OIDC_CLIENT_ID"
    )
    oidc_client_secret: SecretStr | None = Field(default=None, validation_alias="SORAMI_OIDC_CLIENT_SECRET")
    oidc_scopes: CommaList = Field(default=["openid", "profile", "email"], validation_alias="SORAMI_OIDC_SCOPES")
    operators: CommaList = Field(
        default=[],
        validation_alias="SORAMI_OPERATORS",
        description="Who runs the system: subjects and verified e-mail addresses.",
    )
    operator_roles: CommaList = Field(
        default=[],
        validation_alias="SORAMI_OPERATOR_ROLES",
        description="Roles whose members run the system, as organisation:role, both as the token says them.",
    )
    allow_impersonated_writes: bool = Field(default=False, validation_alias="SORAMI_ALLOW_IMPERSONATED_WRITES")

    @field_validator("oidc_client_id")
    @classmethod
    def _client_of_the_issuer(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("oidc_issuer") is not None:
            raise ValueError("is required when SORAMI_OIDC_ISSUER is set")
        return value

    @field_validator("operator_roles")
    @classmethod
    def _roles_of_organisations(cls, value: list[str]) -> list[str]:
        if not all(all(part.partition(":")[::2]) for part in value):
            raise ValueError("each must be organisation:role, separated by commas")
        return [f"{part.partition(':')[0]}:{part.partition(':')[2].removeprefix('org:')}" for part in value]

    def who_operates(self) -> Operators:
        """Return who runs the system; e-mail addresses are compared without case."""
        people = {name.lower() if "@" in name else name for name in self.operators}
        return Operators(frozenset(people), frozenset(self.operator_roles))
