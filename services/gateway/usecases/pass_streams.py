"""Pass on what the notifier streams; a gateway that stops ends these answers, and their readers come back elsewhere."""

from collections.abc import AsyncGenerator
from typing import Any


class PassedStreams:
    """The notifier's answers (of httpx) that this process passes on just now."""

    def __init__(self) -> None:
        self._open: set[Any] = set()
        self._closed = False

    async def chunks(self, response: Any) -> AsyncGenerator[bytes, None]:
        """Return the body as it comes. It ends whole when the notifier goes away or this process stops: the reader
        of a stream reconnects with its last event id."""
        import httpx

        self._open.add(response)
        try:
            if not self._closed:
                async for chunk in response.aiter_raw():
                    yield chunk
        except (httpx.HTTPError, httpx.StreamError):
            return
        finally:
            self._open.discard(response)
            await response.aclose()

    async def close(self) -> None:
        """End them all, and every later one."""
        self._closed = True
        for response in list(self._open):
            await response.aclose()
