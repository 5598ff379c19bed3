"""The seeds' webhook, both ways: what a Flask backend posts to us, and what we post to a Next.js application."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticCustomError

from contracts.events import CompletedFile, as_utc
from contracts.failures import Failure, FailureCode
from contracts.faults import Fault
from contracts.ids import is_safe_id
from contracts.kinds import KINDS, Kind, parse_size
from contracts.messages import FAILED_TITLE, stage_message
from contracts.status import JobStatus, Stage

BACKEND = "backend"
"""The provider of what a backend of the seeds reports."""
SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 - the header's name, not its value
METADATA_VERSION = "1.0"
STATUSES = ("initializing", "generating", "saving", "completed", "failed")
_UNSAFE_PATH = re.compile(r"(^/)|(^|/)\.\.?(/|$)|[\x00-\x1f\x7f\\]")


def _dimensions(text: str) -> str:
    try:
        width, height = parse_size(text)
    except ValueError:
        width = height = 0
    if not (0 < width <= 65_536 and 0 < height <= 65_536):
        raise PydanticCustomError("dimensions_invalid", "dimensions must be WIDTHxHEIGHT in pixels")
    return text


def _path(text: str) -> str:
    if _UNSAFE_PATH.search(text):
        raise PydanticCustomError("file_path_invalid", "file_path must be a relative path without dots")
    return text


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise PydanticCustomError("url_scheme", "url must start with https:// or http://")
    return text


def _no_control(text: str) -> str:
    if any(ord(c) < 32 and c not in "\n\r\t" for c in text) or any("\ud800" <= c <= "\udfff" for c in text):
        raise PydanticCustomError("text_invalid", "the text holds a control character or half of a surrogate pair")
    return text


Words = Annotated[str, Field(max_length=10_000), AfterValidator(_no_control)]


class _Loose(BaseModel):
    # A backend we do not control may say more than we know.
    model_config = ConfigDict(extra="ignore", strict=True)


class _File(_Loose):
    file_path: Annotated[str, Field(min_length=1, max_length=1_024), AfterValidator(_path)]
    url: Annotated[str, Field(max_length=2_048), AfterValidator(_web_address), AfterValidator(_no_control)]
    description: Words | None = None
    format: Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9]+$")] | None = None
    size_bytes: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    dimensions: Annotated[str, AfterValidator(_dimensions)] | None = None
    duration_seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    fps: Annotated[int, Field(ge=1, le=1_000)] | None = None
    thumbnail_url: Annotated[str, Field(max_length=2_048), AfterValidator(_web_address)] | None = None


class _Data(_Loose):
    job_id: str | None = None
    original_prompt: Words | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    files: list[_File] = Field(default_factory=list, max_length=64)


class _Webhook(_Loose):
    job_id: str
    status: Literal["initializing", "generating", "saving", "completed", "failed"]
    user_id: Annotated[str, Field(max_length=128), AfterValidator(_no_control)] | None = None
    message: Annotated[str, Field(max_length=2_000), AfterValidator(_no_control)] | None = None
    error_message: Annotated[str, Field(max_length=2_000), AfterValidator(_no_control)] | None = None
    progress: Annotated[int, Field(ge=0, le=100)] | None = None
    data: _Data | None = None


def _webhook_model(kind: Kind) -> type[_Webhook]:
    data: Any = create_model(
        f"{kind.title}Data",
        __base__=_Data,
        files=(list[_File], Field(default_factory=list, max_length=64, alias=kind.plural)),
    )
    model: type[_Webhook] = create_model(f"{kind.title}Webhook", __base__=_Webhook, data=(data | None, None))
    return model


_MODELS: dict[str, type[_Webhook]] = {name: _webhook_model(kind) for name, kind in KINDS.items()}


class WebhookRefused(Exception):
    """A webhook that breaks the contract; `faults` name each place by its path, e.g. `data.images[0].dimensions`."""

    def __init__(self, faults: list[Fault], *, mismatch: bool = False) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults
        self.mismatch = mismatch


@dataclass(frozen=True, slots=True)
class BackendReport:
    """What a backend said about a job, in our words."""

    kind: Kind
    job_id: str
    status: str
    user_id: str | None = None
    original_prompt: str | None = None
    stage: Stage | None = None
    progress: int | None = None
    message: str | None = None
    files: Sequence[CompletedFile] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


def read_backend_webhook(kind: Kind, body: Mapping[str, Any]) -> BackendReport:
    """Read the seeds' payload (E1, E2, E3, E4, E10); raises WebhookRefused with every fault."""
    try:
        webhook = _MODELS[kind.name].model_validate(body)
    except ValidationError as error:
        raise WebhookRefused([_as_fault(item) for item in error.errors(include_url=False)]) from None
    if not is_safe_id(webhook.job_id):
        raise WebhookRefused([Fault("job_id", "job_id_invalid", "job_id must be 1 to 64 letters, digits, '_' or '-'")])
    data = webhook.data or _Data()
    if data.job_id is not None and data.job_id != webhook.job_id:
        fault = Fault("data.job_id", "job_id_mismatch", "data.job_id differs from job_id")
        raise WebhookRefused([fault], mismatch=True)
    report = BackendReport(
        kind=kind,
        job_id=webhook.job_id,
        status=webhook.status,
        user_id=webhook.user_id,
        original_prompt=data.original_prompt,
        message=webhook.message,
        metadata=data.metadata,
    )
    return _with_outcome(report, webhook, data)


def _with_outcome(report: BackendReport, webhook: _Webhook, data: _Data) -> BackendReport:
    values = {name: getattr(report, name) for name in BackendReport.__slots__}
    if webhook.status == "failed":
        words = webhook.error_message or webhook.message
        values["failure"] = Failure.of(
            FailureCode.PROVIDER_ERROR, words or FAILED_TITLE, charged="unknown", provider_words=words
        )
    elif webhook.status == "completed" and not data.files:
        values["failure"] = Failure.of(
            FailureCode.NO_MEDIA,
            f"the backend reported a completion without {report.kind.plural}",
            charged="unknown",
        )
    elif webhook.status == "completed":
        values["files"] = [_completed_file(report.kind, number, item) for number, item in enumerate(data.files, 1)]
    else:
        values["stage"] = Stage(webhook.status)
        values["progress"] = webhook.progress
    return BackendReport(**values)


def _completed_file(kind: Kind, index: int, item: _File) -> CompletedFile:
    media_format = (item.format or kind.default_format).upper()
    width, height = parse_size(item.dimensions) if item.dimensions else (None, None)
    return CompletedFile(
        index=index,
        storage_key=item.file_path,
        url=item.url,
        filename=item.file_path.rpartition("/")[2][:255] or f"{kind.name}_{index}",
        format=media_format,
        content_type=kind.formats.get(media_format, "application/octet-stream"),
        size_bytes=item.size_bytes,
        width=width,
        height=height,
        description=item.description,
        duration_seconds=item.duration_seconds,
        fps=item.fps,
        thumbnail_url=item.thumbnail_url,
    )


def _as_fault(item: Any) -> Fault:
    path = ""
    for part in item["loc"]:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    code = item["type"]
    if path == "status":
        return Fault(path, "status_unknown", f"status must be one of {', '.join(STATUSES)}")
    if code == "missing":
        return Fault(path, f"{path.rpartition('.')[2]}_required", f"{path} is missing")
    if code in ("greater_than_equal", "less_than_equal", "less_than"):
        return Fault(path, f"{path.rpartition('.')[2]}_out_of_range", f"{path}: {item['msg']}")
    return Fault(path or "body", code, f"{path}: {item['msg']}")


@dataclass(frozen=True, slots=True)
class LegacyFile:
    """A file as the seeds' payload lists it."""

    file_path: str
    url: str
    description: str
    format: str
    size_bytes: int | None
    width: int | None
    height: int | None
    duration_seconds: float | None = None
    fps: int | None = None
    thumbnail_url: str | None = None

    def as_item(self, kind: Kind) -> dict[str, Any]:
        item: dict[str, Any] = {
            "file_path": self.file_path,
            "url": self.url,
            "description": self.description,
            "format": self.format,
            "size_bytes": self.size_bytes,
            "dimensions": f"{self.width}x{self.height}" if self.width and self.height else None,
        }
        return item | {name: getattr(self, name) for name in kind.file_columns}


@dataclass(frozen=True, slots=True)
class LegacyUpdate:
    """All that a payload of the seeds needs to know."""

    kind: Kind
    job_id: str
    user_id: str
    status: JobStatus
    stage: Stage | None
    progress: int
    at: datetime
    environment: str
    prompt: str
    message: str | None = None
    failure: Failure | None = None
    files: Sequence[LegacyFile] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def webhook_payload(update: LegacyUpdate) -> dict[str, Any]:
    """Build the payload a Next.js application of the seeds expects: E1, E2 or E3, with E4's additions."""
    head: dict[str, Any] = {"job_id": update.job_id, "user_id": update.user_id}
    moment = as_utc(update.at)
    match update.status:
        case JobStatus.COMPLETED:
            data = {
                "job_id": update.job_id,
                "original_prompt": update.prompt,
                update.kind.plural: [item.as_item(update.kind) for item in update.files],
                "metadata": dict(update.metadata),
                "status": "completed",
                "generated_at": moment,
            }
            return head | {
                "status": "completed",
                "timestamp": moment,
                "environment": update.environment,
                "data": data,
            }
        case JobStatus.FAILED | JobStatus.CANCELLED:
            return head | {
                "status": "failed",
                "timestamp": moment,
                "error_message": update.failure.message if update.failure else FAILED_TITLE,
                "message": FAILED_TITLE,
            }
        case _:
            stage = update.stage or Stage.INITIALIZING
            return head | {
                "status": stage.value,
                "timestamp": moment,
                "message": update.message or stage_message(update.kind, stage),
                "progress": update.progress,
            }
