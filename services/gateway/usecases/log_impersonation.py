"""Log what somebody does who is signed in as another person: every write, and that something was read."""

import time
from collections import OrderedDict

from services.gateway.store.audit import record
from services.runtime.database import Pool
from services.runtime.identity import Caller

_ONCE_IN_SECONDS = 60.0
_MOST = 1_000


class LogImpersonation:
    """Writes lines of the audit log; reading is noted once a minute for each pair of people."""

    def __init__(self) -> None:
        self._noted: OrderedDict[tuple[str | None, str], float] = OrderedDict()

    async def read(self, pool: Pool, caller: Caller, route: str, *, request_id: str | None) -> None:
        """Note that the actor looks at the person's things."""
        pair = (caller.actor, caller.user_id)
        if self._noted.get(pair, 0.0) > time.monotonic():
            return
        await record(pool, caller, "impersonation.read", caller.user_id, request_id=request_id, detail={"route": route})
        self._noted[pair] = time.monotonic() + _ONCE_IN_SECONDS
        if len(self._noted) > _MOST:
            self._noted.popitem(last=False)

    async def write(self, pool: Pool, caller: Caller, route: str, *, allowed: bool, request_id: str | None) -> None:
        """Note that the actor changes the person's things, or tried to."""
        action = "impersonation.written" if allowed else "impersonation.refused"
        await record(pool, caller, action, caller.user_id, request_id=request_id, detail={"route": route})
