"""What operators have paused."""

from dataclasses import dataclass
from datetime import datetime

from services.runtime.database import Pool

_PAUSES = "SELECT scope, name, reason, paused_by, paused_at FROM sorami.pauses ORDER BY paused_at, scope, name"


@dataclass(frozen=True, slots=True)
class PauseView:
    """A pause; `name` is '' where everything is paused."""

    scope: str
    name: str
    reason: str | None
    paused_by: str
    paused_at: datetime


async def pauses(pool: Pool) -> list[PauseView]:
    """Return what is paused, longest first."""
    return [PauseView(**dict(row)) for row in await pool.fetch(_PAUSES)]
