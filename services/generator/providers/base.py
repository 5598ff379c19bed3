"""The protocol every provider speaks: an order in, rendered media out, or a typed failure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from contracts.failures import Failure


@dataclass(frozen=True, slots=True)
class Order:
    """What to render; `workdir` is an empty folder that belongs to this attempt alone and is removed after it."""

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


@dataclass(frozen=True, slots=True)
class SmallerVersion:
    """A smaller version of a medium's picture, in the attempt's folder."""

    path: Path
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True)
class Medium:
    """One rendered file: its bytes in `path`, or in `data` when it is small; `index` counts from 1."""

    index: int
    format: str
    content_type: str
    width: int
    height: int
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
    """The provider could not or would not render; `failure` says why and whether it was charged."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


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
