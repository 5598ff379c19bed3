"""Watch how providers fare: whose door is shut, who may try it, and who renders meanwhile what waits at it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contracts.breakers import (
    OURS,
    Breaker,
    BreakerRules,
    Door,
    after_acceptance,
    after_answer,
    after_failure,
    scope_of,
)
from contracts.events import JobRequested
from contracts.failures import Failure
from contracts.models import BUILT_IN, Models
from services.generator.store.health import change_health, read_health, take_probe
from services.generator.store.leases import Claim
from services.generator.store.routes import Detour, reroute_queued, stranded
from services.runtime.database import Pool, is_transient
from services.runtime.logs import get_logger

LOOK_EVERY: Final = 1.0
"""Seconds after which what another process learnt of a provider is known here."""
PROBE_SECONDS: Final = 60.0
"""How long a probe may be silent before another one starts."""
MOST_MOVED: Final = 500
SOON: Final = 1.0

_log = get_logger(part="health")


@dataclass(frozen=True, slots=True)
class Known:
    """A breaker as it was read, and when its pause ends by this process's clock."""

    breaker: Breaker
    until: float

    @property
    def left(self) -> float:
        """Seconds until a probe may start."""
        return max(0.0, self.until - time.monotonic())


class WatchHealth:
    """The circuit breakers of `providers`, shared through the database; only what they render elsewhere has one."""

    def __init__(
        self,
        pool: Pool,
        providers: frozenset[str],
        wake: Callable[[], None],
        *,
        rules: BreakerRules,
        models: Models = BUILT_IN,
        local: frozenset[str] = frozenset(),
    ) -> None:
        self._pool = pool
        self._providers = providers
        self._wake = wake
        self._rules = rules
        self._models = models
        self._local = local
        self._known: dict[tuple[str, str], Known] = {}

    # ---- asked before work begins

    def allowed(self, provider: str) -> int | None:
        """Return the most tasks of a provider that may start now; None is no bound, 1 is a probe."""
        own = self._bound((provider, ""))
        if own is not None or provider not in self._providers:
            return own
        models = [model.id for model in self._models.known.values() if model.provider == provider]
        bounds = [self._bound((provider, model)) for model in models]
        if not bounds or None in bounds:
            return None
        return sum(bound for bound in bounds if bound is not None)

    async def admit(self, claim: Claim) -> float | None:
        """Return None when the task may start (it may be the probe), else the seconds after which to ask again."""
        for scope in ("", claim.model):
            known = self._known.get((claim.provider, scope))
            if known is None or known.breaker.door is Door.CLOSED:
                continue
            if known.left > 0 or not await take_probe(self._pool, claim.provider, scope, silent_after=PROBE_SECONDS):
                return max(known.left, SOON)
            _log.info("a provider is tried again", provider=claim.provider, model=scope or None, job_id=claim.job_id)
            self._learn(claim.provider, scope, Breaker(Door.HALF_OPEN, pause=PROBE_SECONDS))
        return None

    def next_model(self, request: JobRequested, model: str) -> tuple[str, str] | None:
        """Return provider and model of who takes over from a model: the next of the chain whose door is not shut."""
        return self._next(request.model, request.fallbacks, model)

    def is_open(self, provider: str, model: str) -> bool:
        """Whether the door of a provider or of its model is shut."""
        return any(self._bound((provider, scope)) is not None for scope in ("", model))

    def _next(self, asked: str | None, fallbacks: list[str], model: str) -> tuple[str, str] | None:
        chain = [asked, *fallbacks]
        later = chain[chain.index(model) + 1 :] if model in chain else fallbacks
        for name in later:
            found = self._models.known.get(name) if name else None
            if found is None or found.provider not in self._providers | self._local:
                continue
            if not self.is_open(found.provider, found.id):
                return found.provider, found.id
        return None

    def _bound(self, key: tuple[str, str]) -> int | None:
        known = self._known.get(key)
        if known is None or known.breaker.door is Door.CLOSED:
            return None
        return 1 if known.left <= 0 else 0

    # ---- told after work

    async def failed(self, provider: str, model: str, failure: Failure, *, retry_after: float | None = None) -> None:
        """Note a failure of a provider."""
        if provider not in self._providers or failure.code in OURS:
            return
        scope = scope_of(failure.code, model)

        def change(name: str, breaker: Breaker) -> Breaker:
            if name == scope:
                return after_failure(breaker, failure, self._rules, retry_after=retry_after)
            return breaker if breaker.door is not Door.HALF_OPEN else after_answer(breaker)

        # A door that was tried is judged even when the failure speaks of another one.
        half_open = [name for name in ("", model) if self._door(provider, name) is Door.HALF_OPEN]
        await self._change(provider, {scope, *half_open}, change, failure)

    async def accepted(self, provider: str, model: str) -> None:
        """Note that a provider accepted an order."""
        await self._relieve(provider, model, lambda _, breaker: after_acceptance(breaker, self._rules))

    async def worked(self, provider: str, model: str) -> None:
        """Note that a provider did its work."""
        await self._relieve(provider, model, lambda _, breaker: after_answer(breaker))

    async def _relieve(self, provider: str, model: str, change: Callable[[str, Breaker], Breaker]) -> None:
        # What works writes nothing, unless something was amiss.
        amiss = {name for name in ("", model) if self._known.get((provider, name), _FINE).breaker != Breaker()}
        if amiss:
            await self._change(provider, amiss, change, None)

    async def _change(
        self, provider: str, models: set[str], change: Callable[[str, Breaker], Breaker], failure: Failure | None
    ) -> None:
        code = failure.code.value if failure else None
        for health in await change_health(self._pool, provider, list(models), change, code=code):
            before = self._door(provider, health.model)
            self._learn(provider, health.model, health.breaker)
            if health.breaker.door is not before:
                _log.warning(
                    "a provider's door is " + health.breaker.door.value.replace("_", " "),
                    provider=provider,
                    model=health.model or None,
                    code=code,
                    pause=round(health.breaker.pause, 1),
                )
                self._wake()

    def _door(self, provider: str, model: str) -> Door:
        return self._known.get((provider, model), _FINE).breaker.door

    def _learn(self, provider: str, model: str, breaker: Breaker) -> None:
        self._known[provider, model] = Known(breaker, time.monotonic() + breaker.pause)

    # ---- in the background

    async def run(self) -> None:
        """Look until cancelled; nothing is done where no remote provider is configured."""
        while self._providers:
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("the health of providers cannot be read now", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Read every breaker, wake who waits for one whose pause is over, and move what need not wait."""
        before = {key: self._bound(key) for key in self._known}
        for health in await read_health(self._pool):
            self._learn(health.provider, health.model, health.breaker)
        if any(self._bound(key) != bound and self._bound(key) != 0 for key, bound in before.items()):
            self._wake()
        shut = [key for key in self._shut_models() if key[0] in self._providers]
        if shut and await self._move(shut):
            self._wake()

    def _shut_models(self) -> list[tuple[str, str]]:
        return [
            (model.provider, model.id)
            for model in self._models.known.values()
            if self.is_open(model.provider, model.id)
        ]

    async def _move(self, shut: list[tuple[str, str]]) -> int:
        detours: list[Detour] = []
        for one in await stranded(self._pool, shut, MOST_MOVED):
            found = self._next(one.asked, one.fallbacks, one.model)
            if found is not None:
                detours.append(Detour(one.job_id, one.model, *found))
        moved = await reroute_queued(self._pool, detours) if detours else 0
        if moved:
            _log.info("tasks moved on from providers that fail", tasks=moved)
        return moved


_FINE: Final = Known(Breaker(), 0.0)
