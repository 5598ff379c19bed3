"""What the OpenAPI document says about jobs and batches: models of the shapes, used for the document alone."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from contracts.failures import Failure
from contracts.kinds import KINDS, Kind
from contracts.status import JobStatus
from services.gateway.api.schemas import NOT_MODIFIED, JobStatusBody, ResultItem, problems


class JobBody(JobStatusBody):
    """A job of any kind: its status and what was asked."""

    kind: str = Field(json_schema_extra={"enum": list(KINDS)})
    model: str | None
    prompt: str
    origin: str
    priority: int
    start_by: str | None = Field(description="A job that nobody began by then fails as `timeout`.")
    finish_by: str | None = Field(description="A job that is not done by then fails as `timeout`.")
    completed_at: str | None


class JobsBody(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[JobBody]
    next_cursor: str | None


class JobAttemptBody(BaseModel):
    """One attempt at a job."""

    attempt: int
    provider: str
    model: str | None
    started_at: str
    ended_at: str | None
    outcome: str | None = Field(
        description="Null while it is under way.",
        json_schema_extra={"enum": ["completed", "failed", "cancelled", None]},
    )
    charged: str | None = Field(
        description="Whether it was charged, as far as the provider says.",
        json_schema_extra={"enum": ["yes", "no", "unknown", None]},
    )
    submits: int = Field(description="How often it was sent with its key; 0 for what we render ourselves.")
    operation_id: str | None = Field(description="The provider's own id of it.")
    failure_code: str | None
    error_message: str | None
    failure: Failure | None = Field(description="Our reading of the failure, with the provider's own words.")


class JobAttemptsBody(BaseModel):
    """Every attempt at a job, the first one first."""

    job_id: str
    attempts: list[JobAttemptBody]


class BatchCreatedBody(BaseModel):
    """The jobs of a batch as they were asked for."""

    batch_id: str
    jobs: list[JobStatusBody]


class BatchSummaryBody(BaseModel):
    """How many jobs of a batch stand where."""

    batch_id: str
    total: int
    counts: dict[JobStatus, int]
    ended: bool = Field(description="Whether every job has ended.")
    cancel_requested: bool
    created_at: str
    cancelled_at: str | None


class BatchBody(BatchSummaryBody):
    """A batch with its jobs."""

    jobs: list[JobBody]


class BatchesBody(BaseModel):
    """A page of batches, newest first."""

    batches: list[BatchSummaryBody]
    next_cursor: str | None


class LimitProblem(BaseModel):
    """A limit was reached; `Retry-After` says when to come back."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str = Field(json_schema_extra={"enum": ["rate_limited", "quota_exceeded"]})
    detail: str


Responses = dict[int | str, dict[str, Any]]

_TEXT = {"schema": {"type": "string"}}
LIMIT_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {"description": "The limits: quota `q` in a window of `w` seconds.", **_TEXT},
    "RateLimit": {"description": "What is left: `r` until `t` seconds from now.", **_TEXT},
}


def _read(model: type[BaseModel], description: str) -> Responses:
    return NOT_MODIFIED | {200: {"model": model, "description": description}}


def _with(answers: Responses, *statuses: int) -> Responses:
    return answers | problems(*statuses)


_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_LIMITED: Responses = {
    429: {
        "description": "A limit was reached",
        "headers": LIMIT_HEADERS | _RETRY,
        "content": {"application/problem+json": {"schema": LimitProblem.model_json_schema()}},
    }
}
_CREATED_HEADERS: dict[str, Any] = {
    "Location": {"description": "Where its status is.", **_TEXT},
    "Idempotency-Replayed": {"description": "`true` when this is the first answer to the key again.", **_TEXT},
    "Preference-Applied": {"description": "How long was waited.", **_TEXT},
    **LIMIT_HEADERS,
    **_RETRY,
}


def _ended(kinds: list[Kind], name: str) -> type[BaseModel]:
    """The status body of a job that ended, with its result when it is COMPLETED."""
    media: dict[str, Any] = {kind.plural: (list[ResultItem] | None, None) for kind in kinds}
    model: type[BaseModel] = create_model(name, __base__=JobStatusBody, metadata=(dict[str, Any] | None, None), **media)
    return model


def _made(kinds: list[Kind], name: str, what: str) -> Responses:
    return {
        202: {"model": JobStatusBody, "description": what, "headers": _CREATED_HEADERS},
        200: {
            "model": _ended(kinds, name),
            "description": "The job ended while the request waited (`Prefer: wait=N`)",
            "headers": _CREATED_HEADERS,
        },
    } | _LIMITED


def created(kind: Kind) -> Responses:
    """Describe the answers to the creation of a job."""
    made = _made([kind], f"{kind.title}Ended", f"The request for {kind.plural} is durable")
    return made | problems(400, 401, 403, 409, 413, 415, 422, 503)


RETRIED = _with(
    _made(list(KINDS.values()), "JobEnded", "The new job is durable"), 400, 401, 403, 404, 409, 413, 415, 422, 503
)
CANCELLED = _with(
    {
        202: {"model": JobStatusBody, "description": "The end was asked for; the job goes on until it is called off"},
        200: {"model": JobStatusBody, "description": "The job is cancelled already"},
    },
    401,
    403,
    404,
    409,
    503,
)
ATTEMPTS = _with(_read(JobAttemptsBody, "The first one first"), 401, 403, 404, 503)
ONE_JOB = _with(_read(JobBody, "The job"), 401, 403, 404, 422, 503)
LISTED = _with(_read(JobsBody, "Newest first"), 400, 401, 403, 422, 503)
_MADE_BATCH: Responses = {
    202: {"model": BatchCreatedBody, "description": "Every job is durable", "headers": _CREATED_HEADERS}
}
BATCH_CREATED = _with(
    _MADE_BATCH | _LIMITED,
    400,
    401,
    403,
    409,
    413,
    415,
    422,
    503,
)
ONE_BATCH = _with(_read(BatchBody, "The batch"), 401, 403, 404, 503)
BATCHES = _with(_read(BatchesBody, "Newest first"), 400, 401, 403, 422, 503)
BATCH_CANCELLED = _with(
    {
        202: {"model": BatchBody, "description": "The end of its open jobs was asked for"},
        200: {"model": BatchBody, "description": "Every job has ended, and the end had been asked for"},
    },
    401,
    403,
    404,
    409,
    503,
)
