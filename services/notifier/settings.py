"""Settings of the notifier."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from contracts.kinds import KINDS
from services.runtime.sealing import parse_keys
from services.runtime.settings import (
    CommaList,
    RuntimeSettings,
    ServerSettings,
    SharedSecret,
    TokenSettings,
    WebhookSettings,
)


def _keys(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        parse_keys(value.get_secret_value())
    return value


class NotifierSettings(RuntimeSettings, ServerSettings, TokenSettings, WebhookSettings):
    """What the notifier reads from the environment."""

    host: str = Field(default="127.0.0.1", validation_alias="SORAMI_NOTIFIER_HOST")
    port: int = Field(default=9009, ge=1, le=65_535, validation_alias="SORAMI_NOTIFIER_PORT")
    internal_port: int = Field(default=9019, ge=1, le=65_535, validation_alias="SORAMI_NOTIFIER_INTERNAL_PORT")
    webhook_url: str | None = Field(default=None, validation_alias="WEBHOOK_URL")
    webhook_url_video: str | None = Field(default=None, validation_alias="WEBHOOK_URL_VIDEO")
    webhook_secret: SharedSecret = Field(default=None, validation_alias="WEBHOOK_SECRET")
    streams_per_user: int = Field(default=100, ge=1, le=10_000, validation_alias="SORAMI_STREAMS_PER_USER")
    encryption_keys: Annotated[SecretStr | None, AfterValidator(_keys)] = Field(
        default=None,
        validation_alias="SORAMI_ENCRYPTION_KEYS",
        description="`id:base64` of 32 bytes each; the first seals, all of them open.",
    )
    webhook_seconds: float = Field(
        default=20,
        ge=1,
        le=30,
        validation_alias="SORAMI_WEBHOOK_SECONDS",
        description="Seconds a receiver may take to answer.",
    )
    channels: CommaList = Field(
        default=["discord", "gchat", "mailto", "mailtos", "msteams", "ntfy", "ntfys", "slack", "tgram", "workflows"],
        validation_alias="SORAMI_CHANNELS",
        description="Services of apprise that people may be told by, as its addresses begin.",
    )
    legacy_shared_db: bool = Field(
        default=False,
        validation_alias="SORAMI_LEGACY_SHARED_DB",
        description="Tell WEBHOOK_URL also of jobs whose row an application made in our own database.",
    )
    delivery_days: int = Field(default=30, ge=1, le=3_650, validation_alias="SORAMI_DELIVERY_DAYS")
    allow_hosts: CommaList = Field(default=[], validation_alias="SORAMI_ALLOW_HOSTS")
    cors_origins: CommaList = Field(default=[], validation_alias="SORAMI_CORS_ORIGINS")

    def legacy_urls(self) -> dict[str, str]:
        """Return where the seeds' webhook goes, by kind; the other addresses follow from the image one."""
        of_images = self.webhook_url
        urls = {kind: completion_address(of_images, kind) for kind in KINDS} if of_images else {}
        return urls | ({"video": self.webhook_url_video} if self.webhook_url_video else {})


def completion_address(url: str, kind: str) -> str:
    """Return where the seeds' application hears of a kind, when images go to `url`."""
    return url.replace("image-completion", f"{kind}-completion")
