"""Is this process alive, and is it ready? Readiness asks the parts themselves and names what is missing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from services.runtime.logs import get_logger

Check = Callable[[], Awaitable[str | None] | str | None]
"""Returns None when all is well, else a short reason."""

CHECK_TIMEOUT = 2.0

_log = get_logger(part="health")
_told: dict[str, str] = {}
"""What the log said last: a kubelet throws away what a probe answers, so the reasons stand in the log too."""


async def readiness(checks: Mapping[str, Check]) -> tuple[bool, dict[str, str]]:
    """Run the checks and return whether all passed, with the reason of each that did not."""
    reasons: dict[str, str] = {}
    for name, check in checks.items():
        try:
            result = check()
            reason = await _in_time(result) if isinstance(result, Awaitable) else result
        except Exception as error:
            reason = f"check failed: {type(error).__name__}"
        if reason:
            reasons[name] = reason
    _tell(reasons)
    return not reasons, reasons


async def _in_time(answer: Awaitable[str | None]) -> str | None:
    """Return what a check says; raises TimeoutError in time, also when what it asked cannot be called off in time."""
    asked = asyncio.ensure_future(answer)
    # A statement on a dead line ends long after it was called off: its end is nobody's concern here.
    asked.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await asyncio.shield(asked)
    finally:
        asked.cancel()


def _tell(reasons: Mapping[str, str]) -> None:
    if reasons != _told:
        _told.clear()
        _told.update(reasons)
        if reasons:
            _log.warning("not ready", reasons=dict(reasons))
        else:
            _log.info("ready")


def database_check(pool: Any) -> Check:
    """Check that the database answers a query."""

    async def check() -> str | None:
        await pool.fetchval("SELECT 1")
        return None

    return check
