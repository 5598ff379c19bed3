"""A least time between one turn and the next, which only those feel who come often."""

import asyncio
import time

BURST = 8
"""Turns after a pause that wait for nothing: a job alone has no more at any place."""


class Pace:
    """Lets a few turns begin at once after a pause, and else one every `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    async def next(self) -> None:
        """Return when the next turn may begin."""
        now = time.monotonic()
        begins = max(self._next, now - BURST * self._seconds)
        # Noted before the pause, so that two who wait at once get two turns.
        self._next = begins + self._seconds
        if begins > now:
            await asyncio.sleep(begins - now)
