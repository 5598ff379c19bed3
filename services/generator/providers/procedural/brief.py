"""What to draw: the plain data of one picture or film, as a render child receives it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Brief:
    """One picture or film; `index` counts from 1 and varies the seed, so that a set differs."""

    prompt: str
    seed: int
    index: int
    width: int
    height: int
    format: str
    style: str | None = None
    quality: str = "standard"
    caption: str | None = None
    input_image: str | None = None
    seconds: float = 0.0
    fps: int = 0

    @classmethod
    def of(cls, work: dict[str, Any], index: int) -> "Brief":
        """The brief of the `index`-th medium of an order."""
        names = [name for name in cls.__slots__ if name != "index"]
        return cls(index=index, **{name: work[name] for name in names if name in work})

    @property
    def fine(self) -> bool:
        return self.quality in {"high", "hd", "ultra", "best"}
