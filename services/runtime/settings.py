"""Settings from the environment: every service has one class; a wrong one stops the start with a clear line each."""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.runtime.database_url import parse_database_url
from services.runtime.setting_names import misspelt

EXIT_WRONG_SETTING = 78
"""EX_CONFIG of sysexits.h."""
EXIT_UNAVAILABLE = 75
"""EX_TEMPFAIL of sysexits.h: something the service needs was not there in time."""


def _readable(value: str | None) -> str | None:
    if value is not None and not os.access(value, os.R_OK):
        raise ValueError("names a file that is not there or may not be read")
    return value


def _comma_list(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _database_url(value: SecretStr) -> SecretStr:
    parse_database_url(value.get_secret_value())
    return value


def host_and_port(address: str) -> tuple[str, int]:
    """Split `host:port`; raises ValueError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("each address must be host:port, separated by commas")
    return host.strip("[]"), int(port)


def _addresses(value: list[str]) -> list[str]:
    for address in value:
        host_and_port(address)
    return value


def _issuer(value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path.strip("/"):
        raise ValueError("must be an address without path, as https://your-app.clerk.accounts.dev")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("must begin with https://: whoever can change its answers can sign in as anybody")
    return value


def _shared_secret(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    # A line end, as files have, is no part of it.
    text = value.get_secret_value().strip("\r\n") if value is not None else ""
    if text and info.data.get("environment") == "production" and (len(text) < 16 or text in _PUBLISHED):
        raise ValueError("is known to others or too short for production; make one, as with `openssl rand -hex 32`")
    return SecretStr(text) if text else None


# Values that stand in documents, in the first place in those of the application that this one replaces.
_PUBLISHED = frozenset({"sorami-webhook-secret-key-2025", "your-webhook-secret", "changeme-changeme"})
Issuer = Annotated[str | None, AfterValidator(_issuer)]
SharedSecret = Annotated[SecretStr | None, AfterValidator(_shared_secret)]
ReadableFile = Annotated[str | None, AfterValidator(_readable)]
CommaList = Annotated[list[str], NoDecode, BeforeValidator(_comma_list)]


class RuntimeSettings(BaseSettings):
    """What every process reads."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    environment: Literal["development", "test", "production"] = Field(
        default="development", validation_alias="ENVIRONMENT"
    )
    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(validation_alias="DATABASE_URL")
    takes_role: bool = Field(default=True, validation_alias="SORAMI_TAKE_ROLE")
    database_pool: int = Field(default=6, ge=1, le=64, validation_alias="SORAMI_DATABASE_POOL")
    kafka_bootstrap_servers: Annotated[CommaList, AfterValidator(_addresses)] = Field(
        default=["127.0.0.1:9092"], min_length=1, validation_alias="KAFKA_BOOTSTRAP_SERVERS"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", validation_alias="KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, validation_alias="KAFKA_SASL_MECHANISM"
    )
    kafka_sasl_username: str | None = Field(default=None, validation_alias="KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = Field(default=None, validation_alias="KAFKA_SASL_PASSWORD")
    kafka_ssl_cafile: ReadableFile = Field(default=None, validation_alias="KAFKA_SSL_CAFILE")
    kafka_ssl_certfile: ReadableFile = Field(default=None, validation_alias="KAFKA_SSL_CERTFILE")
    kafka_ssl_keyfile: ReadableFile = Field(default=None, validate_default=True, validation_alias="KAFKA_SSL_KEYFILE")
    topic_prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$", validation_alias="SORAMI_TOPIC_PREFIX")
    forgotten_after: float = Field(
        default=60,
        ge=1,
        le=3_600,
        validation_alias="SORAMI_FORGOTTEN_SECONDS",
        description="Seconds after which an event nobody reacted to counts as forgotten by Kafka and is sent again.",
    )
    fetch_allowed: Annotated[CommaList, AfterValidator(_addresses)] = Field(
        default=[],
        validation_alias="SORAMI_FETCH_ALLOWED",
        description="Hosts of ours (host:port) that addresses given by people may lead to all the same.",
    )
    internal_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        validation_alias="SORAMI_INTERNAL_HOST",
        description="Where /healthz, /readyz and /metrics listen; 0.0.0.0 in a container, never routed outside.",
    )
    public_url: str = Field(default="http://127.0.0.1:9006", validation_alias="SORAMI_PUBLIC_URL")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", validation_alias="SORAMI_LOG_LEVEL")
    log_format: Literal["json", "pretty"] = Field(default="json", validation_alias="SORAMI_LOG_FORMAT")

    @field_validator("kafka_ssl_keyfile")
    @classmethod
    def _key_of_the_certificate(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "kafka_ssl_certfile" in info.data and (value is None) != (info.data["kafka_ssl_certfile"] is None):
            raise ValueError("is set together with KAFKA_SSL_CERTFILE or not at all")
        return value

    @property
    def fetch_allowed_pairs(self) -> frozenset[tuple[str, int]]:
        """`fetch_allowed` as pairs of host and port."""
        return frozenset((host, int(port)) for host, _, port in (text.rpartition(":") for text in self.fetch_allowed))


class ObjectSettings(BaseSettings):
    """Where media lie; `public_endpoint_url` is what browsers reach."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    s3_endpoint_url: str | None = Field(default=None, validation_alias="S3_ENDPOINT_URL")
    s3_public_endpoint_url: str | None = Field(default=None, validation_alias="S3_PUBLIC_ENDPOINT_URL")
    s3_bucket: str = Field(default="sorami", min_length=3, max_length=63, validation_alias="S3_BUCKET")
    s3_region: str = Field(default="us-east-1", min_length=1, validation_alias="S3_REGION")
    aws_access_key_id: SecretStr | None = Field(default=None, validation_alias="AWS_ACCESS_KEY_ID")
    aws_secret_access_key: SecretStr | None = Field(default=None, validation_alias="AWS_SECRET_ACCESS_KEY")
    aws_session_token: SecretStr | None = Field(default=None, validation_alias="AWS_SESSION_TOKEN")


class ServerSettings(BaseSettings):
    """How a server that people reach stops."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    linger_seconds: float = Field(
        default=0,
        ge=0,
        le=60,
        validation_alias="SORAMI_LINGER_SECONDS",
        description="Seconds a server answers on after it is told to stop; as long as a balancer takes to forget it.",
    )


class WebhookSettings(BaseSettings):
    """Where webhooks of people may go beside the public internet."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    webhook_allow: Annotated[CommaList, AfterValidator(_addresses)] = Field(
        default=[],
        validation_alias="SORAMI_WEBHOOK_ALLOW",
        description="host:port pairs that webhooks of people may reach though they are not public.",
    )

    def allowed(self) -> frozenset[tuple[str, int]]:
        """Return the hosts and ports that the guard lets through."""
        return frozenset(host_and_port(address) for address in self.webhook_allow)


class TokenSettings(BaseSettings):
    """Whose bearer tokens are believed."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, populate_by_name=True)

    jwt_issuer: str | None = Field(default=None, min_length=1, validation_alias="SORAMI_JWT_ISSUER")
    jwks_url: str | None = Field(
        default=None,
        min_length=1,
        validation_alias="SORAMI_JWKS_URL",
        description="Where the issuer's keys are; without it they are found by OpenID Connect's discovery.",
    )
    jwt_azp: CommaList = Field(default=[], validation_alias="SORAMI_JWT_AZP")
    jwt_audience: CommaList = Field(
        default=[],
        validation_alias="SORAMI_JWT_AUDIENCE",
        description="Tokens must name one of these in `aud`; then `nbf`, which not every issuer sends, may be absent.",
    )
    clerk_issuer: Issuer = Field(
        default=None,
        validation_alias="CLERK_ISSUER",
        description="The issuer in Clerk's name; its keys are at /.well-known/jwks.json.",
    )
    clerk_allow_missing_azp: bool = Field(default=False, validation_alias="CLERK_ALLOW_MISSING_AZP")


S = TypeVar("S", bound=BaseSettings)


def address_setting(service: str) -> str:
    """Return the name of the setting that a service's database address comes from."""
    own = f"SORAMI_{service.upper()}_DATABASE_URL"
    return own if os.environ.get(own) else "DATABASE_URL"


def load_settings(settings: type[S], service: str) -> S:
    """Read a service's settings, or print one line for each wrong one and exit with 78; no value is ever printed."""
    faults = [f"{name}: no setting has this name; is {meant} meant?" for name, meant in misspelt(os.environ).items()]
    try:
        read = read_settings(settings, service)
    except ValidationError as error:
        faults += reasons_of(error, settings)
    else:
        if not faults:
            return read
    for reason in faults:
        print(f"config error: {reason}", file=sys.stderr)
    raise SystemExit(EXIT_WRONG_SETTING)


def read_settings(settings: type[S], service: str) -> S:
    """Read a service's settings; raises ValidationError."""
    own = address_setting(service)
    given: Mapping[str, Any] = {} if own == "DATABASE_URL" else {"database_url": os.environ[own], "takes_role": False}
    return settings(**given)


def reasons_of(error: ValidationError, settings: type[BaseSettings]) -> list[str]:
    """Say what is wrong with each setting, without its value."""
    items = error.errors(include_url=False, include_input=False, include_context=False)
    names = [str(item["loc"][0]) if item["loc"] else settings.__name__ for item in items]
    return [
        f"{_env_name(settings, name)}: {_reason(item['type'], item['msg'])}"
        for name, item in zip(names, items, strict=True)
    ]


def _env_name(settings: type[BaseSettings], name: str) -> str:
    field = settings.model_fields.get(name)
    alias = field.validation_alias if field else None
    return alias if isinstance(alias, str) else name


def _reason(kind: str, text: str) -> str:
    return "is required and not set" if kind == "missing" else text.removeprefix("Value error, ")
