"""The two protocols of providers: `Provider` renders in this process, `RemoteProvider` has somebody else render."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from contracts.failures import Charged, Failure


@dataclass(frozen=True, slots=True)
class Order:
    """What to render; `workdir` is an empty folder that belongs to this attempt alone and is removed after it.

    `wake_url` is an address of ours that a provider may call when something moved (it says nothing by itself: the
    operation is polled then); `lifetime_seconds` is what is left until the job's deadline; `on_preview` hears of each
    unfinished picture that a provider shows (undecoded, in the workdir), while the submit is under way.
    """

    job_id: str
    kind: str
    prompt: str
    model: str
    count: int
    width: int
    height: int
    format: str
    style: str | None
    quality: str
    workdir: Path
    seed: int | None = None
    caption: str | None = None
    duration_seconds: float | None = None
    fps: int | None = None
    input_image: Path | None = None
    input_image_url: str | None = None
    user_id: str | None = None
    wake_url: str | None = None
    lifetime_seconds: float | None = None
    on_preview: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True)
class SmallerVersion:
    """A smaller version of a medium's picture, in the attempt's folder."""

    path: Path
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True)
class Medium:
    """One rendered file: its bytes in `path`, or in `data` when it is small; `index` counts from 1.

    What is no picture has no width and no height.
    """

    index: int
    format: str
    content_type: str
    width: int | None
    height: int | None
    path: Path | None = None
    data: bytes | None = None
    description: str | None = None
    duration_seconds: float | None = None
    fps: int | None = None
    poster: Path | None = None
    smaller: Sequence[SmallerVersion] = ()
    placeholder: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished order; `metadata` holds at least `model_name` and `version` (the seeds' metadata block)."""

    media: Sequence[Medium]
    metadata: dict[str, Any] = field(default_factory=dict)


class ProviderFailed(Exception):
    """The provider could not or would not render; `failure` says why and whether it was charged.

    `retry_after` is the pause in seconds that the provider itself asked for.
    """

    def __init__(self, failure: Failure, *, retry_after: float | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.retry_after = retry_after


class OutcomeUnknown(ProviderFailed):
    """A submit may have been executed and nobody can say: `failure.code` is outcome_unknown, never retryable."""


OnProgress = Callable[[float], None]
"""Called with the fraction done, 0.0 to 1.0, from the event loop; it never blocks."""


class Provider(Protocol):
    """Renders orders of the models that `contracts/models.py` gives to its name.

    `render` is cancelled by task cancellation and must then free what it holds.
    """

    name: str

    async def render(self, order: Order, on_progress: OnProgress) -> Rendered:
        """Render the order; raises ProviderFailed with a typed failure."""
        ...

    async def close(self) -> None:
        """Free child processes and connections."""
        ...


@dataclass(frozen=True, slots=True)
class Traits:
    """What a remote provider offers beyond submit and poll; the engine's rules follow from these alone.

    `idempotent_submit`: it honours a key of ours, so an ambiguous submit may simply be sent again with the same key.
    `findable`: it can be asked for a submit by that key. `cancellable`: a running operation can be stopped.
    `synchronous`: the answer to a submit is the result; there is nothing to poll, resume or cancel.
    `self_starting`: it hears job.requested itself and tells its own progress; a submit only begins our waiting, and
    what failed there is not asked for again.
    """

    idempotent_submit: bool = False
    findable: bool = False
    cancellable: bool = False
    synchronous: bool = False
    self_starting: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A provider's own job: its id there, and plain JSON that the same adapter needs to poll it. Holds no secret."""

    id: str
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The provider accepted (and will charge) an order; the operation is stored before it is first polled."""

    operation: Operation
    poll_after: float


@dataclass(frozen=True, slots=True)
class Running:
    """Not finished. `progress` is 0.0 to 1.0 when told; `trouble` is why this one poll told nothing (poll again)."""

    poll_after: float
    progress: float | None = None
    trouble: Failure | None = None


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Where a rendered medium lies: at an address the provider gave, in the order's workdir, or in our bucket."""

    index: int
    kind: str
    url: str | None = None
    path: Path | None = None
    description: str | None = None
    storage_key: str | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """Rendered, and never empty. `metadata["partial"]` tells what is missing when fewer came than were asked for."""

    media: Sequence[MediaRef]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    charged: Charged = "yes"


@dataclass(frozen=True, slots=True)
class RawFile:
    """A fetched medium as the provider gave it: its format is sniffed from its bytes, which nobody has decoded yet."""

    index: int
    path: Path
    format: str
    content_type: str
    size_bytes: int
    description: str | None = None


class RemoteProvider(Protocol):
    """Has orders rendered elsewhere: submit, poll by due time, fetch.

    Each call does one thing over HTTP and keeps nothing in memory, so that any process can go on with an operation.
    Whoever calls stores the step before and after each: `submitting`, `submitted` (with the operation), `rendered`.
    """

    name: str
    traits: Traits

    async def submit(self, order: Order, submit_key: str) -> Submitted | Finished:
        """Send an order once.

        `submit_key` is unique to the order and the attempt. Raises ProviderFailed when nothing was accepted (a
        retryable one may be submitted again) and OutcomeUnknown when the order may be under way or done.
        """
        ...

    async def poll(self, operation: Operation) -> Running | Finished:
        """Ask where an operation stands; an unknown status is Running.

        Raises ProviderFailed only when the operation has ended without media: `failure.retryable` then speaks of a new
        submit, and is never set where the first may have been charged. Whatever merely kept the question from being
        answered is `Running.trouble`.
        """
        ...

    async def find(self, order: Order, submit_key: str, since: datetime) -> Submitted | None:
        """Look for an ambiguous submit; None means that it was certainly not accepted and may be sent again.

        `since` is a moment before that submit. Raises OutcomeUnknown when the provider cannot tell, and ProviderFailed
        (retryable) when it could not be asked now.
        """
        ...

    async def cancel(self, operation: Operation) -> bool:
        """Stop an operation; True when the provider took the request (it may still complete)."""
        ...

    async def fetch(self, ref: MediaRef, folder: Path) -> RawFile:
        """Bring a medium into a folder.

        Raises ProviderFailed with `charged` yes: a retryable one speaks of another fetch, never of another submit.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
