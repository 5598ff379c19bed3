"""What a content policy is asked and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Stage = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to judge: a medium, a smaller version or a poster of it, or the image to start from."""

    index: int
    content_type: str
    path: Path | None = None
    data: bytes | None = None
    words: str | None = None
    """What the provider says of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged: what was asked (and the image to start from), or what was made."""

    stage: Stage
    job_id: str
    kind: str
    model: str
    user_id: str
    prompt: str
    caption: str | None = None
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Refused when there is a reason; of what was made only `indexes`, or all of it when that is None."""

    reasons: Sequence[str] = ()
    indexes: frozenset[int] | None = field(default=None)

    def refuses(self, index: int) -> bool:
        """Whether the medium of this index may not be shown."""
        return bool(self.reasons) and (self.indexes is None or index in self.indexes)


ALLOWED = Judgement()


class PolicyFailed(Exception):
    """The policy could not be asked; the words say why and hold no secret."""


class Policy(Protocol):
    """Judges what is asked and what was made."""

    name: str

    async def judge(self, question: Question) -> Judgement:
        """Return the judgement; raises PolicyFailed."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
