"""Submit a task to a remote provider: once, and again only where that surely pays once."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from contracts.failures import Failure, FailureCode
from contracts.wake_tokens import wake_path, wake_token
from services.generator.metrics import count_attempt, provider_call
from services.generator.providers.base import (
    Finished,
    Order,
    OutcomeUnknown,
    ProviderFailed,
    RemoteProvider,
    Submitted,
)
from services.generator.store.leases import Claim
from services.generator.store.operations import (
    Attempt,
    begin_attempt,
    close_attempt,
    keep_rendered,
    keep_submitted,
    send_again,
)
from services.generator.usecases.rendered_state import write_rendered
from services.generator.usecases.reporter import FenceLost, GiveBack, backoff
from services.runtime.database import Pool
from services.runtime.failpoints import reach
from services.runtime.logs import get_logger

HEAR_OUT_SECONDS: Final = 4.0
"""How long work that is called off waits for the answer to a submit under way: its operation can then be ended."""
CLOCKS_DIFFER: Final = timedelta(seconds=5)
MOST_SUBMITS: Final = 4
"""How often one attempt is sent with its key before nobody believes any more that an answer will come."""

_log = get_logger(part="submit")


class AttemptFailed(Exception):
    """An attempt ended without media; `attempt` says which."""

    def __init__(self, attempt: Attempt, error: ProviderFailed) -> None:
        super().__init__(error.failure.message)
        self.attempt = attempt
        self.error = error


class SubmitTask:
    """Sends an order; `resubmit_ambiguous` repeats once what nobody can say was executed.

    Providers are told to call us under `wake_address`, where there is one, when an operation moved.
    """

    def __init__(
        self,
        pool: Pool,
        providers: Mapping[str, RemoteProvider],
        *,
        resubmit_ambiguous: bool,
        wake_address: str | None = None,
    ) -> None:
        self._pool = pool
        self._wake_address = wake_address
        self._providers = providers
        self._resubmit_ambiguous = resubmit_ambiguous

    def is_self_starting(self, claim: Claim) -> bool:
        """Tell whether the task's provider hears of it by itself."""
        return self._providers[claim.provider].traits.self_starting

    async def begin(self, claim: Claim, order: Order, number: int) -> tuple[Attempt, Finished] | GiveBack | None:
        """Make a new attempt; None when the task now waits for its provider. Raises AttemptFailed and FenceLost."""
        attempt = await begin_attempt(self._pool, claim, number, uuid.uuid4().hex)
        if attempt is None:
            raise FenceLost
        return await self._send(claim, order, attempt)

    async def go_on(self, claim: Claim, order: Order, attempt: Attempt) -> tuple[Attempt, Finished] | GiveBack | None:
        """Go on with an attempt of which nobody knows whether it was executed; as `begin`."""
        provider = self._providers[claim.provider]
        if provider.traits.idempotent_submit:
            return await self._repeat(claim, order, attempt, is_known=False)
        if not provider.traits.findable:
            return await self._cannot_tell(claim, order, attempt, _lost(attempt))
        try:
            with provider_call(provider.name, "find"):
                found = await provider.find(order, attempt.submit_key, attempt.submitted_at - CLOCKS_DIFFER)
        except OutcomeUnknown as error:
            return await self._cannot_tell(claim, order, attempt, error)
        except ProviderFailed as error:
            _log.warning("a provider cannot be asked for a submit now", job_id=claim.job_id, provider=provider.name)
            if claim.attempts > MOST_SUBMITS:
                raise AttemptFailed(attempt, _lost(attempt)) from None
            return GiveBack(backoff(claim.attempts, error.retry_after), forgive_attempt=False)
        if found is not None:
            return await self._keep(claim, attempt, found)
        return await self._repeat(claim, order, attempt, is_known=True)

    async def _repeat(
        self, claim: Claim, order: Order, attempt: Attempt, *, is_known: bool
    ) -> tuple[Attempt, Finished] | GiveBack | None:
        """Send once more with the same key; `is_known` that what was sent before was surely not accepted."""
        if attempt.submits >= MOST_SUBMITS:
            raise AttemptFailed(attempt, _lost(attempt))
        submits = await send_again(self._pool, claim, attempt)
        if submits is None:
            raise FenceLost
        again = replace(attempt, submits=submits)
        try:
            return await self._send(claim, order, again)
        except AttemptFailed as refused:
            if is_known or isinstance(refused.error, OutcomeUnknown):
                raise
            return self._refused_later(claim, again, refused.error)

    def _refused_later(self, claim: Claim, attempt: Attempt, error: ProviderFailed) -> GiveBack:
        """The repeat was refused, which says nothing of what was sent before: no other key may follow."""
        provider = self._providers[claim.provider]
        if error.failure.retryable and provider.traits.idempotent_submit and attempt.submits < MOST_SUBMITS:
            return GiveBack(backoff(attempt.submits, error.retry_after), forgive_attempt=True)
        failure = error.failure.model_copy(update={"charged": "unknown", "retryable": False})
        raise AttemptFailed(attempt, ProviderFailed(failure))

    async def _cannot_tell(
        self, claim: Claim, order: Order, attempt: Attempt, error: OutcomeUnknown
    ) -> tuple[Attempt, Finished] | GiveBack | None:
        if self._resubmit_ambiguous and attempt.submits == 1:
            _log.warning("an ambiguous submit is repeated, as the settings say", job_id=claim.job_id)
            return await self._repeat(claim, order, attempt, is_known=False)
        raise AttemptFailed(attempt, error)

    async def _send(self, claim: Claim, order: Order, attempt: Attempt) -> tuple[Attempt, Finished] | GiveBack | None:
        provider = self._providers[claim.provider]
        if self._wake_address is not None:
            token = wake_token(claim.job_id, attempt.attempt, attempt.submit_key)
            order = replace(order, wake_url=self._wake_address + wake_path(claim.provider, token))
        reach("gen.before_submit")
        sending = asyncio.ensure_future(_counted(provider, order, attempt.submit_key))
        try:
            answer = await asyncio.shield(sending)
        except asyncio.CancelledError:
            await self._hear_out(claim, attempt, sending)
            raise
        except OutcomeUnknown as error:
            return self._look_later(claim, attempt, provider, error)
        except ProviderFailed as error:
            raise AttemptFailed(attempt, error) from None
        except Exception as error:
            # A mistake of ours after the first byte went out: nobody knows what it did.
            _log.exception("a submit ended unexpectedly", job_id=claim.job_id, provider=provider.name)
            return self._look_later(claim, attempt, provider, _lost(attempt, type(error).__name__))
        return await self._keep(claim, attempt, answer)

    async def _hear_out(self, claim: Claim, attempt: Attempt, sending: "asyncio.Future[Submitted | Finished]") -> None:
        await asyncio.wait({sending}, timeout=HEAR_OUT_SECONDS)
        if not sending.done():
            sending.cancel()
        elif not sending.cancelled() and sending.exception() is None:
            try:
                await self._keep(claim, attempt, sending.result())
            except FenceLost:
                _log.info("an operation of called off work is known and can be ended", job_id=claim.job_id)

    def _look_later(self, claim: Claim, attempt: Attempt, provider: RemoteProvider, error: OutcomeUnknown) -> GiveBack:
        """Wait a little before the submit is looked for or repeated: it may only just be arriving."""
        traits = provider.traits
        can_tell = traits.idempotent_submit or traits.findable
        again = can_tell or (self._resubmit_ambiguous and attempt.submits == 1)
        if not again:
            raise AttemptFailed(attempt, error)
        _log.warning("nobody knows yet whether a submit was executed", job_id=claim.job_id, provider=provider.name)
        return GiveBack(backoff(attempt.submits, error.retry_after), forgive_attempt=True)

    async def _keep(
        self, claim: Claim, attempt: Attempt, answer: Submitted | Finished
    ) -> tuple[Attempt, Finished] | None:
        reach("gen.after_submit")
        if isinstance(answer, Finished):
            await keep_rendered(self._pool, claim.job_id, attempt, write_rendered(answer))
            return attempt, answer
        operation = answer.operation
        if not await keep_submitted(
            self._pool, claim, attempt, operation.id, operation.state, poll_after=answer.poll_after
        ):
            raise FenceLost
        reach("gen.after_operation_stored")
        return None

    async def close(self, claim: Claim, attempt: Attempt, failure: Failure) -> None:
        """Note that an attempt failed."""
        count_attempt(await close_attempt(self._pool, claim.job_id, attempt.attempt, "failed", failure), "failed")


async def _counted(provider: RemoteProvider, order: Order, submit_key: str) -> Submitted | Finished:
    with provider_call(provider.name, "submit"):
        return await provider.submit(order, submit_key)


def _lost(attempt: Attempt, words: str | None = None) -> OutcomeUnknown:
    message = "the request was sent and no answer was kept; nobody can tell whether it was executed and charged"
    failure = Failure.of(FailureCode.OUTCOME_UNKNOWN, message, charged="unknown", provider_words=words)
    return OutcomeUnknown(failure)
