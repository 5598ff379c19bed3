"""A least time between one turn and the next, which only those feel who come often."""

import asyncio
import time


class Pace:
    """Lets a turn begin at once after a pause, and else `seconds` after the one before."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = -seconds

    async def next(self) -> None:
        """Return when the next turn may begin."""
        now = time.monotonic()
        begins = max(now, self._last + self._seconds)
        # Noted before the pause, so that two who wait at once get two turns.
        self._last = begins
        if begins > now:
            await asyncio.sleep(begins - now)
