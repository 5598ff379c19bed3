"""What is kept for a while only: rules that a service lives by, and that an operator can look at and run."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

EVERY = 60.0
"""Seconds between looks for what may go."""

_log = get_logger(part="retention")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is kept how long, and by which setting; `due` counts what may go (up to a bound), `forget` takes a page.

    Both statements take `values`; without a statement nothing ever goes.
    """

    what: str
    kept: str
    setting: str | None
    due: str | None = None
    forget: str | None = None
    values: tuple[Any, ...] = ()

    async def count(self, pool: Pool) -> int:
        """Return how many may go now, up to a bound."""
        return 0 if self.due is None else int(await pool.fetchval(self.due, *self.values))

    async def page(self, pool: Pool) -> int:
        """Let a bounded number go and return how many."""
        return 0 if self.forget is None else int((await pool.execute(self.forget, *self.values)).split()[-1])


def days(number: float) -> str:
    """Say so many days."""
    return f"{number:g} day{'' if number == 1 else 's'}"


class Retain:
    """Lets go what its rules say, any number of processes side by side."""

    def __init__(self, pool: Pool, rules: Sequence[Rule]) -> None:
        self._pool = pool
        self._rules = rules

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("what is old is kept a little longer", error=type(error).__name__)

    async def look(self) -> dict[str, int]:
        """Let go everything that may, a page at a time, and return how many of each."""
        gone: dict[str, int] = {}
        for rule in self._rules:
            while page := await rule.page(self._pool):
                gone[rule.what] = gone.get(rule.what, 0) + page
        return gone
