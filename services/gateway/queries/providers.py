"""How the providers fare: whose breaker lets no work pass."""

from dataclasses import dataclass

from services.runtime.database import Pool

_HEALTH = """
    SELECT provider, model, state, extract(epoch FROM retry_at - now())::float8 AS seconds
    FROM sorami.provider_health WHERE state <> 'closed'
"""


@dataclass(frozen=True, slots=True)
class Shut:
    """A breaker that lets no work pass; `model` is empty for all of a provider, `seconds` until it is tried."""

    provider: str
    model: str
    state: str
    seconds: float


async def shut_providers(pool: Pool) -> list[Shut]:
    """Return the providers and models that get no work now."""
    rows = await pool.fetch(_HEALTH)
    return [Shut(row["provider"], row["model"], row["state"], max(0.0, row["seconds"] or 0.0)) for row in rows]
