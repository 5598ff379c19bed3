"""What the environment may say of remote providers: none is enabled without its key or address; models are data."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import NoDecode

from contracts.kinds import KINDS, parse_size
from contracts.prices import Price
from contracts.request_templates import check_template

EXTERNAL = "external:"
"""What the names of providers begin with that are workers of others."""

IMAGE_INPUT: dict[str, Any] = {
    "prompt": "{{prompt}}",
    "image_size": {"width": "{{width}}", "height": "{{height}}"},
    "num_images": "{{count}}",
    "seed": "{{seed}}",
    "output_format": "{{format}}",
    "image_url": "{{input_image}}",
}
"""What most image models of fal take; a model that differs gets an `input` of its own."""
REPLICATE_INPUT: dict[str, Any] = {
    "prompt": "{{prompt}}",
    "width": "{{width}}",
    "height": "{{height}}",
    "num_outputs": "{{count}}",
    "seed": "{{seed}}",
    "image": "{{input_image}}",
}


def _kind(value: str) -> str:
    if value not in KINDS:
        raise ValueError(f"the kind must be one of {', '.join(KINDS)}")
    return value


def _ratio(value: str) -> str:
    across, _, down = value.partition(":")
    if not (across.isdecimal() and down.isdecimal() and int(across) and int(down)):
        raise ValueError("a ratio is two whole numbers, as in 16:9")
    return value


def _size(value: str) -> str:
    parse_size(value)
    return value


class TemplatedModel(BaseModel):
    """A model of a provider whose request fields vary by model.

    `id` is the provider's id; `input` is its request with `{{fields}}` of the order. What it can do beyond that is the
    operator's to say; what is left out is not checked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=200)
    kind: Annotated[str, AfterValidator(_kind)] = "image"
    input: Annotated[dict[str, Any], AfterValidator(check_template)] | None = None
    sizes: tuple[Annotated[str, AfterValidator(_size)], ...] | None = Field(default=None, min_length=1)
    ratios: tuple[Annotated[str, AfterValidator(_ratio)], ...] | None = Field(default=None, min_length=1)
    seconds: tuple[int, ...] | None = Field(default=None, min_length=1)
    fps: tuple[int, ...] | None = Field(default=None, min_length=1)
    formats: tuple[str, ...] | None = Field(default=None, min_length=1)
    max_count: int | None = Field(default=None, ge=1)
    price: Price | None = None


class ExternalModel(BaseModel):
    """A model that a worker of others renders: who, with which abilities, and how long its silence is borne.

    `heartbeat_seconds` is the longest pause between two reports of a job; `start_seconds` how long a job may wait for
    its first one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    kind: Annotated[str, AfterValidator(_kind)] = "image"
    heartbeat_seconds: float = Field(default=60, ge=1, le=3_600)
    start_seconds: float = Field(default=3_600, ge=1, le=86_400)
    ratios: tuple[str, ...] | None = None
    seconds: tuple[int, ...] | None = None
    formats: tuple[str, ...] | None = None
    input_image: bool = False
    seed: bool = False

    @property
    def provider_name(self) -> str:
        """The provider's name in tasks, events and lists: `external:<name>`."""
        return EXTERNAL + self.provider


def _external_models(value: Any) -> Any:
    """Read JSON `{"name": {"provider": "painter", "kind": "image", …}}`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else {}
    except ValueError:
        raise ValueError("must be a JSON object of models by their names") from None


def _models(value: Any) -> Any:
    """Read `a/b,c/d`, or JSON `{"name": {"id": "a/b", "kind": "video", "input": {…}}}`."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("must be names separated by commas, or a JSON object") from None
    return {part.strip(): {"id": part.strip()} for part in value.split(",") if part.strip()}


def _names(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _object(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except ValueError:
        raise ValueError("must be a JSON object") from None


def _headers(value: Any) -> Any:
    """Read `Name: value; Name: value`."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition(":") for part in value.split(";") if part.strip()]
    if not all(separator and name.strip() for name, separator, _ in pairs):
        raise ValueError("must be `Name: value`, several separated by `;`")
    if not (value.isascii() and value.isprintable()):
        raise ValueError("holds characters that no HTTP header may hold")
    return {name.strip(): text.strip() for name, _, text in pairs}


def _base(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an http(s) address without user, query and fragment")
    return value.rstrip("/")


def _key(value: SecretStr | None) -> SecretStr | None:
    """An empty key is none, and a line end around it (as files have) is no part of it."""
    text = value.get_secret_value().strip() if value else ""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("holds characters that no HTTP header may hold")
    return SecretStr(text) if text else None


def _place(url: str) -> tuple[str, int]:
    """Host and port, every name of this machine's loopback being one."""
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname in ("localhost", "::1", "0.0.0.0") else parts.hostname or ""
    return host, parts.port or (443 if parts.scheme == "https" else 80)


Models = Annotated[dict[str, TemplatedModel], NoDecode, BeforeValidator(_models)]
ExternalModels = Annotated[dict[str, ExternalModel], NoDecode, BeforeValidator(_external_models)]
Names = Annotated[list[str], NoDecode, BeforeValidator(_names)]
Prices = Annotated[dict[str, Price], NoDecode, BeforeValidator(_object)]
Fallbacks = Annotated[dict[str, list[str]], NoDecode, BeforeValidator(_object)]
Headers = Annotated[dict[str, SecretStr], NoDecode, BeforeValidator(_headers)]
Base = Annotated[str, AfterValidator(_base)]
Key = Annotated[SecretStr | None, AfterValidator(_key)]


class ProviderFields(BaseModel):
    """Keys, addresses and model ids of remote providers; gateway and generator read them alike."""

    default_image_model: Names = Field(
        default=[],
        validation_alias="SORAMI_DEFAULT_IMAGE_MODEL",
        description="Who renders a request that names no model: the first that can, and the next when it fails.",
    )
    default_video_model: Names = Field(default=[], validation_alias="SORAMI_DEFAULT_VIDEO_MODEL")
    fallbacks: Fallbacks = Field(
        default={},
        validation_alias="SORAMI_FALLBACKS",
        description="Models that may stand in for one that was named, as JSON.",
    )
    prices: Prices = Field(default={}, validation_alias="SORAMI_PRICES")

    gemini_api_key: Key = Field(default=None, validation_alias="GEMINI_API_KEY")
    gemini_url: Base = Field(
        default="https://generativelanguage.googleapis.com/v1beta", validation_alias="SORAMI_GEMINI_URL"
    )
    gemini_models: Names = Field(
        default=["gemini-3.1-flash-image", "gemini-3-pro-image"], validation_alias="SORAMI_GEMINI_MODELS"
    )
    veo_models: Names = Field(
        default=["veo-3.1-generate-preview", "veo-3.1-fast-generate-preview"], validation_alias="SORAMI_VEO_MODELS"
    )

    openai_api_key: Key = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_url: Base = Field(default="https://api.openai.com/v1", validation_alias="SORAMI_OPENAI_URL")
    openai_models: Names = Field(default=["gpt-image-2"], validation_alias="SORAMI_OPENAI_MODELS")
    openai_partial_images: int = Field(
        default=0,
        ge=0,
        le=3,
        validation_alias="SORAMI_OPENAI_PARTIAL_IMAGES",
        description="Unfinished pictures to show while one is made, where the server streams; each has its price.",
    )
    openai_idempotent: bool = Field(
        default=False,
        validation_alias="SORAMI_OPENAI_IDEMPOTENT",
        description="The server honours an `Idempotency-Key` header (OpenAI itself documents none).",
    )

    comfyui_url: Base | None = Field(default=None, validation_alias="SORAMI_COMFYUI_URL")
    comfyui_workflows: Path | None = Field(default=None, validation_alias="SORAMI_COMFYUI_WORKFLOWS")
    comfyui_headers: Headers = Field(default={}, validation_alias="SORAMI_COMFYUI_HEADERS")

    fal_key: Key = Field(default=None, validation_alias="FAL_KEY")
    fal_url: Base = Field(default="https://queue.fal.run", validation_alias="SORAMI_FAL_URL")
    fal_models: Models = Field(
        default={"fal-ai/flux/dev": TemplatedModel(id="fal-ai/flux/dev")}, validation_alias="SORAMI_FAL_MODELS"
    )

    replicate_api_token: Key = Field(default=None, validation_alias="REPLICATE_API_TOKEN")
    replicate_url: Base = Field(default="https://api.replicate.com/v1", validation_alias="SORAMI_REPLICATE_URL")
    replicate_models: Models = Field(
        default={"black-forest-labs/flux-dev": TemplatedModel(id="black-forest-labs/flux-dev")},
        validation_alias="SORAMI_REPLICATE_MODELS",
    )
    replicate_wait_seconds: int = Field(
        default=0,
        ge=0,
        le=60,
        validation_alias="SORAMI_REPLICATE_WAIT_SECONDS",
        description="How long a submit waits for its result; 0 keeps the moment short in which an answer can be lost.",
    )

    bfl_api_key: Key = Field(default=None, validation_alias="BFL_API_KEY")
    bfl_url: Base = Field(default="https://api.bfl.ai/v1", validation_alias="SORAMI_BFL_URL")
    bfl_models: Names = Field(default=["flux-2-pro"], validation_alias="SORAMI_BFL_MODELS")

    external_models: ExternalModels = Field(
        default={},
        validation_alias="SORAMI_EXTERNAL_MODELS",
        description="Models that workers of yours render, who consume job.requested and report by topics.",
    )

    backend_url: Base | None = Field(default=None, validation_alias="BACKEND_URL")
    backend_token: Key = Field(default=None, validation_alias="SORAMI_BACKEND_TOKEN")

    @model_validator(mode="after")
    def _backend_is_not_ourselves(self) -> "ProviderFields":
        own = getattr(self, "public_url", None)
        if self.backend_url and own and _place(self.backend_url) == _place(own):
            raise ValueError("BACKEND_URL is this application's own address; name the backend's")
        return self

    @model_validator(mode="after")
    def _comfyui_is_complete(self) -> "ProviderFields":
        if (self.comfyui_url is None) != (self.comfyui_workflows is None):
            raise ValueError("SORAMI_COMFYUI_URL and SORAMI_COMFYUI_WORKFLOWS are set together or not at all")
        return self
