"""Resolve whose job a request is about: `user_id` counts only for whoever may act for others."""

import re
from dataclasses import replace
from typing import Any

from services.gateway.queries import people
from services.gateway.usecases.welcome_person import welcome_person
from services.runtime.claims import Principal
from services.runtime.database import Pool
from services.runtime.identity import Caller
from services.runtime.tokens import TokenRefused

_OF_THE_ISSUER = re.compile(r"^user_[A-Za-z0-9]{6,64}$")


class SubjectUnknown(Exception):
    """Nobody here has this id, neither as our own nor as the identity provider's."""


async def resolve_subject(pool: Pool, caller: Caller, user_id: str | None) -> Caller:
    """Return the caller, or the person it acts for with the caller noted as the actor; raises SubjectUnknown."""
    if user_id is None or user_id == caller.user_id or not caller.may_act_for_others:
        return caller
    found = await people.person(pool, user_id) or await _newcomer(pool, user_id)
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


async def _newcomer(pool: Pool, user_id: str) -> Any:
    """Let a person appear whom an application in front of us names by the issuer's id, as their token would."""
    if not _OF_THE_ISSUER.match(user_id):
        return None
    try:
        await welcome_person(pool, Principal(user_id))
    except TokenRefused:
        return None
    return await people.person(pool, user_id)
