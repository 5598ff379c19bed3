"""Moderate: what was asked before a provider hears of it, and what was made before anybody sees it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contracts.failures import Charged, Failure, FailureCode, Filtered
from services.generator.moderation.policy import ALLOWED, Judgement, Picture, Policy, PolicyFailed, Question, Stage
from services.generator.providers.base import Medium, Order, ProviderFailed
from services.generator.store.audit import record
from services.generator.store.leases import Claim
from services.runtime.database import Pool
from services.runtime.logs import get_logger

_log = get_logger(part="moderation")


class PolicyUnavailable(ProviderFailed):
    """The policy could not be asked, and nothing passes unjudged: it is asked again later."""


class Moderate:
    """Asks the policy of the settings, if there is one; each refusal is in the audit log.

    `fail_open` lets pass what a failing policy did not judge, and notes that as well.
    """

    def __init__(self, pool: Pool, policy: Policy | None = None, *, fail_open: bool = False) -> None:
        self._pool = pool
        self._policy = policy
        self._fail_open = fail_open

    async def before(self, claim: Claim, order: Order) -> None:
        """Judge what was asked; raises ProviderFailed when it is refused, and PolicyUnavailable."""
        if self._policy is None:
            return
        pictures = [Picture(1, "image/*", path=order.input_image)] if order.input_image else []
        judgement = await self._judge(self._policy, claim, "input", pictures)
        if judgement.reasons:
            raise ProviderFailed(_refused("input", judgement, "no"))

    async def after(
        self, claim: Claim, media: Sequence[Medium], *, charged: Charged
    ) -> tuple[list[Medium], list[Failure]]:
        """Judge what was made: return what may be shown, numbered from 1, and why the rest may not.

        Raises ProviderFailed when nothing may be shown, and PolicyUnavailable.
        """
        if self._policy is None:
            return list(media), []
        judgement = await self._judge(self._policy, claim, "output", [_picture(medium) for medium in media])
        kept = [medium for medium in media if not judgement.refuses(medium.index)]
        if len(kept) == len(media):
            return list(media), []
        failure = _refused("output", judgement, charged)
        if not kept:
            raise ProviderFailed(failure)
        return [replace(medium, index=place) for place, medium in enumerate(kept, 1)], [failure] * (
            len(media) - len(kept)
        )

    async def _judge(self, policy: Policy, claim: Claim, stage: Stage, pictures: Sequence[Picture]) -> Judgement:
        asked = claim.request
        question = Question(
            stage=stage,
            job_id=claim.job_id,
            kind=claim.kind,
            model=claim.model,
            user_id=claim.owner_id,
            prompt=asked.prompt,
            caption=asked.options.get("caption"),
            pictures=pictures,
        )
        try:
            judgement = await policy.judge(question)
        except PolicyFailed as error:
            return await self._unjudged(policy, claim, stage, str(error))
        if judgement.reasons:
            indexes = sorted(judgement.indexes) if judgement.indexes is not None else None
            detail = {"reasons": list(judgement.reasons), "indexes": indexes}
            await self._note(policy, claim, stage, "moderation.refused", detail)
        return judgement

    async def _unjudged(self, policy: Policy, claim: Claim, stage: Stage, words: str) -> Judgement:
        _log.error("the policy could not be asked", job_id=claim.job_id, policy=policy.name, stage=stage, reason=words)
        detail = {"reason": words, "passed": self._fail_open}
        await self._note(policy, claim, stage, "moderation.unjudged", detail)
        if self._fail_open:
            return ALLOWED
        message = "the content policy of this service could not be asked; nothing passes unjudged"
        raise PolicyUnavailable(Failure.of(FailureCode.INTERNAL, message, stage=stage, reason="policy_unavailable"))

    async def _note(self, policy: Policy, claim: Claim, stage: Stage, action: str, detail: dict[str, Any]) -> None:
        about = {"stage": stage, "kind": claim.kind, "model": claim.model, "provider": claim.provider} | detail
        await record(self._pool, policy.name, action, user_id=claim.owner_id, job_id=claim.job_id, detail=about)


def _refused(stage: Stage, judgement: Judgement, charged: Charged) -> Failure:
    what = "what was asked for" if stage == "input" else "what was made"
    return Failure.of(
        FailureCode.CONTENT_FILTERED,
        f"a content policy of this service refused {what}",
        charged=charged,
        stage="input_prompt" if stage == "input" else "output",
        reason="policy",
        filtered=Filtered.of(stage, judgement.reasons, by="policy"),
    )


def _picture(medium: Medium) -> Picture:
    """The smallest picture of a medium that shows enough: its poster, its largest smaller version, or itself."""
    if medium.poster is not None:
        return Picture(medium.index, "image/jpeg", path=medium.poster, words=medium.description)
    if medium.smaller:
        best = max(medium.smaller, key=lambda one: one.width)
        return Picture(medium.index, f"image/{best.format.lower()}", path=best.path, words=medium.description)
    return Picture(medium.index, medium.content_type, medium.path, medium.data, medium.description)
