"""What the generator and its render children say to each other: one JSON object a line, each way."""

import json
from typing import Any, Final

READY: Final = "ready"
PROGRESS: Final = "progress"
DONE: Final = "done"
REFUSED: Final = "refused"
FAILED: Final = "failed"

MAX_LINE = 1 << 20


class Refused(Exception):
    """A renderer will not do this order.

    `code` is one of contracts.failures.FailureCode, `str(self)` says why, `reason` is a stable code of what exactly.
    """

    def __init__(self, code: str, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


def line(message: dict[str, Any]) -> bytes:
    """One message as it goes over the pipe."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def parse(raw: bytes) -> dict[str, Any]:
    """The message of one line; ValueError when it is not a JSON object."""
    message = json.loads(raw)
    if not isinstance(message, dict):
        raise ValueError("a message must be a JSON object")
    return message
