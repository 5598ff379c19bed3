"""Settings of the notifier."""

from pydantic import Field, SecretStr

from services.runtime.settings import CommaList, RuntimeSettings, TokenSettings


class NotifierSettings(RuntimeSettings, TokenSettings):
    """What the notifier reads from the environment."""

    host: str = Field(default="127.0.0.1", validation_alias="SORAMI_NOTIFIER_HOST")
    port: int = Field(default=9009, ge=1, le=65_535, validation_alias="SORAMI_NOTIFIER_PORT")
    webhook_url: str | None = Field(default=None, validation_alias="WEBHOOK_URL")
    webhook_url_video: str | None = Field(default=None, validation_alias="WEBHOOK_URL_VIDEO")
    webhook_secret: SecretStr | None = Field(default=None, validation_alias="WEBHOOK_SECRET")
    streams_per_user: int = Field(default=100, ge=1, le=10_000, validation_alias="SORAMI_STREAMS_PER_USER")
    allow_hosts: CommaList = Field(default=[], validation_alias="SORAMI_ALLOW_HOSTS")

    def legacy_urls(self) -> dict[str, str]:
        """Return where the seeds' webhook goes, by kind; the video address follows from the image one."""
        if not self.webhook_url:
            return {"video": self.webhook_url_video} if self.webhook_url_video else {}
        video = self.webhook_url_video or self.webhook_url.replace("image-completion", "video-completion")
        return {"image": self.webhook_url, "video": video}
