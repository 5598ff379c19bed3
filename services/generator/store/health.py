"""How providers and their models fare, shared by every process: breakers as rows, on the database's clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.breakers import Breaker, Door
from services.runtime.database import Connection, Pool, transaction

_BREAKER = """state, failures, openings, greatest(0, extract(epoch FROM retry_at - now()))::float8 AS pause"""

READ_HEALTH = f"SELECT provider, model, {_BREAKER} FROM sorami.provider_health"  # noqa: S608 - constant parts only

LOCK_HEALTH = f"""
    SELECT {_BREAKER} FROM sorami.provider_health WHERE provider = $1 AND model = $2 FOR UPDATE
"""  # noqa: S608 - constant parts only

# write_health: retry_at of a half open breaker is when its probe has been silent for too long.
WRITE_HEALTH = """
    INSERT INTO sorami.provider_health AS h (provider, model, state, failures, openings, retry_at, opened_at,
           last_failure_at, last_failure_code, last_success_at)
    VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second', CASE WHEN $3 = 'open' THEN now() END,
            CASE WHEN $7::text IS NOT NULL THEN now() END, $7, CASE WHEN $7::text IS NULL THEN now() END)
    ON CONFLICT (provider, model) DO UPDATE SET
        state = excluded.state, failures = excluded.failures, openings = excluded.openings,
        retry_at = excluded.retry_at,
        opened_at = CASE WHEN excluded.state = 'closed' THEN NULL ELSE coalesce(h.opened_at, excluded.opened_at) END,
        last_failure_at = coalesce(excluded.last_failure_at, h.last_failure_at),
        last_failure_code = coalesce(excluded.last_failure_code, h.last_failure_code),
        last_success_at = coalesce(excluded.last_success_at, h.last_success_at)
"""

# take_probe: of all processes one lets one task try; a probe that is silent for too long is taken over.
TAKE_PROBE = """
    UPDATE sorami.provider_health SET state = 'half_open', retry_at = now() + $3 * interval '1 second'
    WHERE provider = $1 AND model = $2 AND state <> 'closed' AND retry_at <= now() RETURNING provider
"""


@dataclass(frozen=True, slots=True)
class Health:
    """A breaker of a provider (model '') or of one of its models."""

    provider: str
    model: str
    breaker: Breaker


async def read_health(pool: Pool) -> list[Health]:
    """Return every breaker there is."""
    rows = await pool.fetch(READ_HEALTH)
    return [Health(row["provider"], row["model"], _breaker(row)) for row in rows]


async def change_health(
    pool: Pool, provider: str, models: Sequence[str], change: Callable[[str, Breaker], Breaker], *, code: str | None
) -> list[Health]:
    """Apply a pure change to the breakers of a provider, one after another under their locks; `code` of a failure."""
    changed: list[Health] = []
    async with transaction(pool) as connection:
        for model in sorted(models):
            changed.append(await _change(connection, provider, model, change, code))
    return changed


async def _change(
    connection: Connection, provider: str, model: str, change: Callable[[str, Breaker], Breaker], code: str | None
) -> Health:
    row = await connection.fetchrow(LOCK_HEALTH, provider, model)
    before = _breaker(row) if row is not None else Breaker()
    after = change(model, before)
    if after == before and code is None:
        return Health(provider, model, after)
    # A pause that was not changed is what is left of it.
    await connection.execute(
        WRITE_HEALTH, provider, model, after.door.value, after.failures, after.openings, after.pause, code
    )
    return Health(provider, model, after)


async def take_probe(pool: Pool, provider: str, model: str, *, silent_after: float) -> bool:
    """Take the one probe of a breaker whose pause is over; False when another has it or it is not due."""
    return await pool.fetchval(TAKE_PROBE, provider, model, silent_after) is not None


def _breaker(row: Any) -> Breaker:
    return Breaker(Door(row["state"]), row["failures"], row["openings"], row["pause"] or 0.0)
