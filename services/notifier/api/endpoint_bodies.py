"""Bodies of the webhook console: what may be asked, and what is answered."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from contracts.events import as_utc
from contracts.faults import fault
from contracts.kinds import KINDS
from contracts.webhooks import TYPES
from services.runtime.bodies import Body, Query
from services.runtime.moments import Moment

_TOKEN = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")
_VALUE = re.compile(r"^[\x20-\x7e]{0,1024}$")
# What the message itself, its connection or its proof consists of.
_OURS = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-webhook-secret",
    }
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _types(value: list[str] | None) -> list[str] | None:
    if value is not None and (not value or not set(value) <= set(TYPES)):
        raise fault("event_type_unknown", f"event_types must name some of {', '.join(TYPES)}; leave it out for all")
    return value and sorted(set(value))


def _kinds(value: list[str] | None) -> list[str] | None:
    if value is not None and (not value or not set(value) <= KINDS.keys()):
        raise fault("kinds_unsupported", f"kinds must name some of {', '.join(KINDS)}; leave it out for all")
    return value and sorted(set(value))


def _kind_urls(value: dict[str, str]) -> dict[str, str]:
    if not value.keys() <= KINDS.keys():
        raise fault("kinds_unsupported", f"kind_urls may name {', '.join(KINDS)}")
    return value


def _headers(value: dict[str, str]) -> dict[str, str]:
    if len(value) > 10:
        raise fault("headers_too_long", "headers has more than 10 items")
    for name, text in value.items():
        lower = name.lower()
        if not _TOKEN.match(name) or lower in _OURS or lower.startswith("webhook-") or not _VALUE.fullmatch(text):
            raise fault(
                "header_forbidden",
                "headers must be plain names with printable values, and none that the message itself is made of",
            )
    return value


def _words(value: str | None) -> str | None:
    if value is not None and _CONTROL.search(value):
        raise fault("description_control_character", "description holds a control character")
    return value


def _past(value: datetime) -> datetime:
    if value > datetime.now(UTC):
        raise fault("since_invalid", "since must be a moment in the past, as in 2026-01-31T12:00:00Z")
    return value


Url = Annotated[str, Field(min_length=1, max_length=2_100)]
Types = Annotated[list[str] | None, Field(max_length=32), AfterValidator(_types)]
Kinds = Annotated[list[str] | None, Field(max_length=16), AfterValidator(_kinds)]
KindUrls = Annotated[dict[str, Url], AfterValidator(_kind_urls)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Description = Annotated[str | None, Field(max_length=500), AfterValidator(_words)]
Throttle = Annotated[int | None, Field(ge=1, le=1_000)]


class NewEndpoint(Body):
    """A webhook endpoint as it is made."""

    url: Url = Field(description="Where to POST: public, https in production, port 80 or 443.")
    dialect: Literal["standard", "legacy"] = Field(
        default="standard", description="legacy: the seeds' flat payload with X-Webhook-Secret."
    )
    kind_urls: KindUrls = Field(default_factory=dict, description="Other addresses for single kinds.")
    event_types: Types = Field(default=None, description=f"Some of {', '.join(TYPES)}; all when left out.")
    kinds: Kinds = Field(default=None, description="Kinds of media; all when left out.")
    description: Description = None
    headers: Headers = Field(default_factory=dict, description="Sent with every delivery; values are never shown.")
    throttle_per_second: Throttle = None
    ordered: bool = Field(default=False, description="Moves of a job wait for the one before.")
    thin: bool = Field(default=False, description="Ids and a link only.")
    organization: bool = Field(default=False, description="All jobs of the caller's organisation; for its admins.")
    ed25519: bool = Field(default=False, description="Sign with a key pair too (v1a).")
    secret: Annotated[str, Field(max_length=300)] | None = Field(
        default=None, description="Your own; else one is made."
    )


class EndpointChanges(Body):
    """What may be changed of an endpoint; what is left out stays."""

    url: Url | None = None
    kind_urls: KindUrls | None = None
    event_types: Types = None
    kinds: Kinds = None
    description: Description = None
    headers: Headers | None = None
    throttle_per_second: Throttle = None
    ordered: bool | None = None
    thin: bool | None = None
    state: Literal["enabled", "disabled"] | None = None

    def given(self) -> dict[str, Any]:
        """Return what was sent; null empties what may be empty and changes nothing else."""
        emptied = {"event_types", "kinds", "description", "throttle_per_second"}
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in sent.items() if value is not None or name in emptied}


class Rotation(Body):
    """How to rotate."""

    secret: Annotated[str, Field(max_length=300)] | None = None
    overlap_hours: int = Field(default=24, ge=0, le=168, description="Hours the secret before stays valid.")


class Recovery(Body):
    """What to recover."""

    since: Annotated[Moment, AfterValidator(_past)]


class DeliveriesQuery(Query):
    """Which deliveries to list."""

    state: Literal["pending", "delivered", "superseded", "exhausted", "dropped"] | None = None
    type: Literal["job.progress", "job.completed", "job.failed", "job.cancelled", "endpoint.failing",
                  "endpoint.disabled", "message.exhausted", "test"] | None = None  # fmt: skip
    job_id: str | None = None
    since: Moment | None = None
    limit: str | None = None
    cursor: str | None = None


class StatisticsQuery(Query):
    """From when on to count."""

    since: Moment | None = None


class SecretShown(BaseModel):
    """What may be seen of a secret after it was made."""

    id: str
    scheme: Literal["hmac", "ed25519", "shared"]
    public_key: str | None
    created_at: str
    expires_at: str | None


class EndpointBody(BaseModel):
    """A webhook endpoint."""

    id: str
    url: str
    dialect: Literal["standard", "legacy"]
    kind_urls: dict[str, str]
    event_types: list[str] | None
    kinds: list[str] | None
    description: str | None
    header_names: list[str]
    organization_id: str | None
    throttle_per_second: int | None
    ordered: bool
    thin: bool
    state: Literal["enabled", "disabled"]
    reason: Literal["owner", "gone", "failing"] | None = Field(description="Why it is disabled.")
    failing_since: str | None
    secrets: list[SecretShown]
    created_at: str
    updated_at: str


class EndpointMade(EndpointBody):
    """A webhook endpoint with its secret, shown this once."""

    secret: str
    public_key: str | None = Field(description="For v1a signatures, when asked for.")


class EndpointList(BaseModel):
    """All endpoints of the caller."""

    endpoints: list[EndpointBody]


class DeliveryBody(BaseModel):
    """One event for one endpoint."""

    id: str
    webhook_id: str
    type: str
    job_id: str | None
    kind: str | None
    url: str | None = Field(description="Where it goes, when its job brought the address.")
    state: Literal["pending", "delivered", "superseded", "exhausted", "dropped"]
    attempts: int
    next_attempt_at: str | None
    last_status_code: int | None
    last_error: str | None
    created_at: str
    sent_at: str | None
    finished_at: str | None


class AttemptBody(BaseModel):
    """What one try was answered; `answer` is its first 4 kB."""

    attempt: int
    at: str
    status_code: int | None
    error: str | None
    duration_ms: int | None
    answer: str | None


class DeliveryDetail(DeliveryBody):
    """A delivery with what is sent and every attempt."""

    payload: dict[str, Any]
    log: list[AttemptBody]


class DeliveryPage(BaseModel):
    """Deliveries, the newest first."""

    deliveries: list[DeliveryBody]
    next_cursor: str | None


class Recovered(BaseModel):
    """How many deliveries are on their way again; `more` when the limit of one call was reached."""

    recovered: int
    more: bool


class Statistics(BaseModel):
    """How an endpoint fared; durations in milliseconds."""

    since: str
    states: dict[str, int]
    attempts: int
    taken: int
    p50_ms: float | None
    p95_ms: float | None


def moment(value: datetime | None) -> str | None:
    """Write a moment as everywhere in the API."""
    return as_utc(value) if value else None
