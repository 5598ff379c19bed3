"""Server-sent events whose data are JSON, as providers stream them."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

_BLANK_LINE: Final = b"\n\n"


class StreamTooLarge(Exception):
    """More bytes came than are read."""


async def read_events(chunks: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[Any]:
    """Yield the JSON of each event; what is no JSON (`[DONE]`, comments) is left out. Raises StreamTooLarge."""
    buffer, seen, total = bytearray(), 0, 0
    async for chunk in chunks:
        total += len(chunk)
        if total > most_bytes:
            raise StreamTooLarge
        buffer += chunk.replace(b"\r", b"")
        # A picture is one very long line: look only at what is new.
        while (end := buffer.find(_BLANK_LINE, max(0, seen - 1))) >= 0:
            event, buffer, seen = bytes(buffer[:end]), buffer[end + 2 :], 0
            if (data := _data(event)) is not None:
                yield data
        seen = len(buffer)
    if (data := _data(bytes(buffer))) is not None:
        yield data


def _data(event: bytes) -> Any:
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    try:
        return json.loads(b"\n".join(lines)) if lines else None
    except (ValueError, RecursionError):
        return None
