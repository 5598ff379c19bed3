"""One model per event, past tense. Readers ignore unknown fields; changes are additive; a break is a new version."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from contracts import topics
from contracts.failures import Failure
from contracts.status import JobStatus, Stage
from contracts.topics import Topic


def _plain_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character, which no database text can store")
    return text


Text = Annotated[str, AfterValidator(_plain_text)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Fence = Annotated[int, Field(ge=0, lt=2**31)]
Pixels = Annotated[int, Field(gt=0, le=65_536)]


class Event(BaseModel):
    """What every event says: which job, of which kind, and when it happened."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    TOPIC: ClassVar[Topic]
    VERSION: ClassVar[int] = 1

    job_id: Id = Field(description="The one id of the job; also the key of the record.")
    kind: str = Field(max_length=32, description="The kind of media: image, video, …")
    at: AwareDatetime = Field(
        description="When it happened, by the publisher's database or clock; never used for order."
    )

    @property
    def key(self) -> str:
        """The Kafka key of the record."""
        return self.job_id

    @property
    def step(self) -> str:
        """What tells this event from others of its type and job; equal steps are the same event."""
        return "0"


class JobRequested(Event):
    """A client asked for media and the row exists. The only event that carries the prompt."""

    TOPIC = topics.JOB_REQUESTED

    user_id: str
    organization_id: str | None = None
    prompt: Text
    model: str | None = None
    fallbacks: list[str] = Field(
        default_factory=list,
        max_length=64,
        description="Models that may take over, in this order, when that one's provider fails before it charged.",
    )
    count: int = Field(ge=1, le=64, description="How many files are wanted.")
    size: str = Field(description="WIDTHxHEIGHT in pixels.")
    format: str
    style: str | None = None
    quality: str = "standard"
    input_image_url: str | None = None
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="What only some kinds or models know: duration_seconds, fps, seed, caption.",
    )
    priority: int = Field(default=0, ge=-100, le=100)
    start_by: AwareDatetime | None = None
    finish_by: AwareDatetime | None = Field(default=None, description="After this time the job is never started.")


class JobCancelRequested(Event):
    """Somebody wants a job no longer: a wish. Whether it or the work came first is the generator's to say."""

    TOPIC = topics.JOB_CANCEL_REQUESTED

    user_id: str = Field(description="Whose job it is.")
    organization_id: str | None = None
    requested_by: str | None = Field(default=None, description="The user who asked for the end.")


class Reported(Event):
    """What a generator reports. `fence` is its lease, 0 for a reporter that has none."""

    fence: Fence = 0
    provider: str | None = Field(default=None, max_length=64)
    model: str | None = Field(default=None, max_length=100, description="The model that renders, if that is known.")


class JobProgressed(Reported):
    """Work goes on."""

    TOPIC = topics.JOB_PROGRESS

    stage: Stage
    progress: int = Field(ge=0, le=100, description="Percent done.")
    message: Text | None = Field(default=None, max_length=500)
    report_step: int = Field(default=0, ge=0, lt=2**31, description="Counts the reports of one lease.")
    preview_key: Text | None = Field(
        default=None, max_length=1_024, description="The object of an unfinished picture, beside the job's files."
    )

    @property
    def step(self) -> str:
        return f"{self.fence}.{self.report_step}.{self.stage}.{self.progress}"


class Thumbnail(BaseModel):
    """A smaller version of a file's picture, stored beside it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    width: Pixels
    height: Pixels
    format: str = Field(min_length=1, max_length=16)
    storage_key: Text = Field(max_length=1_024)
    size_bytes: int | None = Field(default=None, ge=0, lt=2**40)


class CompletedFile(BaseModel):
    """One finished file: an object of ours (`storage_key`) or an address a backend gave (`url`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    index: int = Field(ge=1, le=1_000)
    storage_key: Text | None = Field(default=None, max_length=1_024)
    url: Text | None = Field(default=None, max_length=2_048)
    filename: Text = Field(min_length=1, max_length=255)
    format: str = Field(min_length=1, max_length=16)
    content_type: str = Field(max_length=100)
    size_bytes: int | None = Field(default=None, ge=0, lt=2**40)
    width: Pixels | None = None
    height: Pixels | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    description: Text | None = Field(default=None, max_length=10_000)
    duration_seconds: float | None = Field(default=None, ge=0, le=86_400)
    fps: int | None = Field(default=None, ge=1, le=1_000)
    thumbnail_key: Text | None = Field(default=None, max_length=1_024)
    thumbnail_url: Text | None = Field(default=None, max_length=2_048)
    thumbnails: list[Thumbnail] = Field(default_factory=list, max_length=16)
    placeholder: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9+/]{1,64}={0,2}$",
        description="A ThumbHash in base64: what to show until the picture has come.",
    )


class JobCompleted(Reported):
    """All files are stored. Zero files is never a completion."""

    TOPIC = topics.JOB_COMPLETED

    files: list[CompletedFile] = Field(min_length=1, max_length=64)
    metadata: dict[str, Any] = Field(default_factory=dict, description="The seeds' metadata block (E1).")

    @property
    def step(self) -> str:
        return str(self.fence)


class JobFailed(Reported):
    """The job ended without media, for a stated reason."""

    TOPIC = topics.JOB_FAILED

    failure: Failure

    @property
    def step(self) -> str:
        return str(self.fence)


class PublishedThumbnail(BaseModel):
    """A smaller version as others see it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    width: int
    height: int
    format: str
    url: str


class PublishedFile(BaseModel):
    """A file as others see it: an address that lasts, never an object key."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    index: int
    url: str
    filename: str
    format: str
    content_type: str
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: int | None = None
    thumbnail_url: str | None = None
    thumbnails: list[PublishedThumbnail] = Field(default_factory=list)
    placeholder: str | None = Field(default=None, description="A ThumbHash in base64.")


class JobUpdated(Event):
    """The row moved. Published after the row is written, so whoever hears it and asks finds it."""

    TOPIC = topics.JOB_UPDATED

    user_id: str
    organization_id: str | None = None
    seq: int = Field(ge=1, description="Counts the moves of this job, without gaps.")
    n: int = Field(ge=1, description="Counts the moves of all jobs of this user, without gaps, in commit order.")
    status: JobStatus
    stage: Stage | None = None
    progress: int = Field(ge=0, le=100)
    message: str | None = Field(default=None, description="The provider's or backend's own message, if it gave one.")
    failure: Failure | None = None
    provider: str | None = None
    preview_url: str | None = Field(
        default=None, description="Where an unfinished picture can be seen until the job has ended."
    )
    files: list[PublishedFile] = Field(default_factory=list)
    metadata: dict[str, Any] | None = None
    created_at: AwareDatetime

    @property
    def step(self) -> str:
        return str(self.seq)


class NotificationCreated(Event):
    """A notification was written for a user."""

    TOPIC = topics.NOTIFICATION_CREATED

    notification_id: str
    user_id: str
    type: str
    title: str
    message: str

    @property
    def key(self) -> str:
        return self.user_id

    @property
    def step(self) -> str:
        return self.type


class NotificationRequested(Event):
    """A user is to be notified of something that is no job's end. `job_id` and `kind` name what it is about."""

    TOPIC = topics.NOTIFICATION_REQUESTED

    notification_id: Id = Field(description="The notification's id, so that the same request makes one.")
    user_id: str
    type: str = Field(max_length=64)
    title: Text = Field(max_length=500)
    message: Text = Field(max_length=2_000)
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.user_id

    @property
    def step(self) -> str:
        return self.notification_id


class MediaDeleted(Event):
    """The rows of a deleted generation are gone for good; whoever keeps something of it removes that too."""

    TOPIC = topics.MEDIA_DELETED

    prefixes: list[str] = Field(description="Every object whose key begins with one of these belonged to it.")


class ProviderNotified(Event):
    """A provider called: an operation of the job moved. What became of it is asked for, never believed."""

    TOPIC = topics.PROVIDER_NOTIFIED

    provider: str = Field(max_length=64)
    attempt: int = Field(ge=1, lt=2**31)

    @property
    def step(self) -> str:
        # Each call is an event of its own: what moved after the last one was heard is news.
        return f"{self.attempt}.{self.at.timestamp()}"


EVENTS: tuple[type[Event], ...] = (
    JobRequested,
    JobCancelRequested,
    JobProgressed,
    JobCompleted,
    JobFailed,
    JobUpdated,
    NotificationCreated,
    NotificationRequested,
    MediaDeleted,
    ProviderNotified,
)
EVENT_OF_TOPIC: dict[str, type[Event]] = {event.TOPIC.name: event for event in EVENTS}


def event_type(event: type[Event]) -> str:
    """Return the CloudEvents type, e.g. `io.sorami.job.completed.v1`."""
    return f"io.sorami.{event.TOPIC.name}.v{event.VERSION}"


def event_id(event: Event) -> str:
    """Return the id made from (job, type, fence, step): reporting again is the same event."""
    return f"{event.job_id}/{event.TOPIC.name}.v{event.VERSION}/{event.step}"


def as_utc(moment: datetime) -> str:
    """Write a moment as the seeds do: ISO 8601 in UTC with milliseconds and `Z`."""
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"
