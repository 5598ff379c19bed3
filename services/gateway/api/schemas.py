"""What the OpenAPI document says about answers: models of the shapes, used for the document alone."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from contracts.failures import Failure
from contracts.kinds import Kind
from contracts.status import JobStatus, Stage
from services.runtime import problem_documents

json_body = problem_documents.json_body
problems = problem_documents.problems


class JobStatusBody(BaseModel):
    """Where a job stands."""

    job_id: str
    status: JobStatus
    progress: int = Field(ge=0, le=100)
    stage: Stage | None
    message: str | None
    error_message: str | None
    failure: Failure | None
    poll_after: float | None = Field(description="Seconds after which asking again makes sense; null when finished.")
    queue_position: int | None = Field(description="1 for whoever is next; counted up to 1,000.")
    eta_seconds: int | None = Field(description="Seconds until it may be done, from how long such jobs took lately.")
    cancel_requested: bool
    preview_url: str | None = Field(
        description="An unfinished picture, while the job runs and its provider shows some; it works in an <img>."
    )
    batch_id: str | None
    parent_id: str | None = Field(description="The generation this one is an edit of.")
    retry_of: str | None = Field(description="The failed job this one repeats.")
    created_at: str


class ThumbnailItem(BaseModel):
    """A smaller version of a file."""

    width: int
    height: int
    format: str
    url: str = Field(description="A lasting address, like fileUrl.")


class FileItem(BaseModel):
    """A file of a generation."""

    model_config = ConfigDict(extra="allow")

    id: str
    fileUrl: str = Field(description="A lasting address that works in an <img> without a token.")
    format: str | None
    width: int | None
    height: int | None
    aspectRatio: str | None
    fileSize: int | None
    thumbnails: list[ThumbnailItem] = Field(description="Smaller versions, narrowest first; none of a tiny picture.")
    placeholder: str | None = Field(description="A ThumbHash in base64, to show until the picture has come.")


class ResultItem(FileItem):
    """A file of a result."""

    filename: str
    description: str | None


class WebhookAnswer(BaseModel):
    """The answer to a backend's webhook."""

    success: bool
    ignored: bool | None = None
    parked: bool | None = None
    state: str | None = None


PAGING: list[dict[str, Any]] = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many to answer; without it and without a cursor, all of them up to 5,000.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "The nextCursor of the page before.",
        "schema": {"type": "string"},
    },
]


Described = dict[int | str, dict[str, Any]]
NOT_MODIFIED: Described = {304: {"description": "You have this very answer"}}
"""What a route with an ETag says of 304."""


def answers(own: dict[int | str, dict[str, Any]], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe a route's own answers and the problem documents it may answer with."""
    return own | problems(*statuses)


def status(kind: Kind) -> dict[int | str, dict[str, Any]]:
    found: Described = {200: {"model": JobStatusBody, "description": f"Where the {kind.name} job stands"}}
    return found | NOT_MODIFIED | problems(401, 403, 404, 422, 503)


def _listing(kind: Kind) -> type[BaseModel]:
    generation = create_model(
        f"{kind.title}Generation",
        __config__=ConfigDict(extra="allow"),
        id=(str, ...),
        prompt=(str, ...),
        status=(str, ...),
        createdAt=(str, ...),
        completedAt=(str | None, None),
        **{kind.plural: (list[FileItem], ...)},  # type: ignore[call-overload]
    )
    model: type[BaseModel] = create_model(
        f"{kind.title}Generations",
        success=(bool, ...),
        count=(int, ...),
        generations=(list[generation], ...),
        nextCursor=(str | None, None),
    )
    return model


def listed(kind: Kind) -> dict[int | str, dict[str, Any]]:
    found: Described = {200: {"model": _listing(kind), "description": "Newest first"}}
    return found | NOT_MODIFIED | problems(400, 401, 403, 422, 503)


def result(kind: Kind) -> dict[int | str, dict[str, Any]]:
    model = create_model(
        f"{kind.title}Result",
        job_id=(str, ...),
        status=(str, ...),
        metadata=(dict[str, Any], ...),
        **{kind.plural: (list[ResultItem], ...)},  # type: ignore[call-overload]
    )
    found: Described = {200: {"model": model, "description": "The files and how they were made"}}
    return found | NOT_MODIFIED | problems(401, 403, 404, 409, 503)
