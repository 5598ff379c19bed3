"""For whom a caller acts: itself, or the user it names, where its key may act for others."""

from contracts.scopes import Scope
from services.gateway.queries import people
from services.runtime.database import Pool
from services.runtime.identity import Caller


class OtherUnknown(Exception):
    """The user whom the caller would act for is nobody here."""


async def act_for(pool: Pool, caller: Caller, user_id: str | None) -> Caller:
    """Return the caller, or the user it names where it may act for others; raises OtherUnknown."""
    if user_id is None or Scope.ACT_FOR_OTHERS not in (caller.scopes or ()):
        return caller
    found = await people.person(pool, user_id)
    if found is None:
        raise OtherUnknown
    return Caller(found["user_id"], found["organization_id"], scopes=caller.scopes)
