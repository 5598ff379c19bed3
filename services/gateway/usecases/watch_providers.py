"""Watch which models get no work now, and why: what operators paused, and providers that fail."""

import time
from collections.abc import Mapping
from typing import Literal

from contracts.models import Models
from services.gateway.queries.providers import shut_providers
from services.runtime.database import Pool

REMEMBER_SECONDS = 1.0

Reason = Literal["failing", "paused"]
Unavailable = Mapping[str, Reason]
"""Ids of models, and why each is not available; those that are stand not in it."""


class WatchProviders:
    """Asks at most once a second."""

    def __init__(self, pool: Pool, models: Models) -> None:
        self._pool = pool
        self._models = models
        self._found: Unavailable = {}
        self._known_until = 0.0

    async def __call__(self) -> Unavailable:
        """Return the models whose work does not begin now."""
        if self._known_until < time.monotonic():
            self._found = await self._look()
            self._known_until = time.monotonic() + REMEMBER_SECONDS
        return self._found

    async def _look(self) -> Unavailable:
        shut = {(one.provider, one.model) for one in await shut_providers(self._pool)}
        return {
            model.id: "failing"
            for model in self._models.known.values()
            if {(model.provider, ""), (model.provider, model.id)} & shut
        }
