"""Watch which models get no work now, and why: what operators paused, and providers that fail."""

import time
from collections.abc import Mapping, Set
from typing import Literal

from contracts.models import Model, Models
from services.gateway.queries.pauses import pauses
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
        paused = {(one.scope, one.name) for one in await pauses(self._pool)}
        found: dict[str, Reason] = {}
        for model in self._models.known.values():
            if {(model.provider, ""), (model.provider, model.id)} & shut:
                found[model.id] = "failing"
            if _is_paused(model, paused):
                found[model.id] = "paused"
        return found


def _is_paused(model: Model, paused: Set[tuple[str, str]]) -> bool:
    """Tell whether nothing of a model is begun: a kind that is paused pauses a model that renders no other."""
    meant = {("all", ""), ("provider", model.provider), ("model", model.id)}
    return bool(meant & paused) or {("kind", kind) for kind in model.kinds} <= paused
