"""Resolve whose job a request is about: `user_id` counts only for whoever may act for others."""

from dataclasses import replace

from services.gateway.queries import people
from services.runtime.database import Pool
from services.runtime.identity import Caller


class SubjectUnknown(Exception):
    """Nobody here has this id, neither as our own nor as the identity provider's."""


async def resolve_subject(pool: Pool, caller: Caller, user_id: str | None) -> Caller:
    """Return the caller, or the person it acts for with the caller noted as the actor; raises SubjectUnknown."""
    if user_id is None or user_id == caller.user_id or not caller.may_act_for_others:
        return caller
    found = await people.person(pool, user_id)
    if found is None:
        raise SubjectUnknown
    if found["user_id"] == caller.user_id:
        return caller
    return replace(
        caller,
        user_id=found["user_id"],
        organization_id=found["organization_id"],
        role=None,
        actor=caller.actor or caller.user_id,
    )
