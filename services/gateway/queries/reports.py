"""What the inbound webhook must know of the job it reports on."""

from dataclasses import dataclass
from typing import Any

from contracts.kinds import KINDS, Kind
from contracts.status import JobStatus
from services.runtime.database import Pool


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job as the inbound webhook needs it."""

    job_id: str
    owner_id: str
    organization_id: str | None
    status: JobStatus


_KNOWN = """
    SELECT id, owner_id, organization_id, status FROM sorami.jobs WHERE kind = $2 AND id = $1
    UNION ALL
    SELECT j.id, j.owner_id, j.organization_id, j.status
    FROM sorami.operations o JOIN sorami.jobs j ON j.id = o.job_id
    WHERE o.operation_id = $1 AND j.kind = $2
    LIMIT 1
"""
_GENERATION_OWNER = {
    kind.name: f"""SELECT "authorId" AS owner_id, "organizationId" AS organization_id, status::text AS status, prompt
                   FROM {kind.generations_table} WHERE id = $1"""  # noqa: S608
    for kind in KINDS.values()
}
_OPEN_SUBMIT = """
    SELECT EXISTS (SELECT FROM sorami.operations WHERE owner_id = $1 AND closed_at IS NULL AND operation_id IS NULL)
"""

# decidable: parked while a submit of their user was open; by now its operation or its end is known.
_DECIDABLE = """
    SELECT o.id, o.kind, o.job_id, o.payload FROM sorami.orphans o
    WHERE o.reason = 'submit_open' AND o.resolution IS NULL AND (
        EXISTS (SELECT FROM sorami.operations p WHERE p.operation_id = o.job_id)
        OR NOT EXISTS (
            SELECT FROM users u JOIN sorami.operations p ON p.owner_id = u.id
            WHERE (u.id = o.payload->>'user_id' OR u."clerkId" = o.payload->>'user_id')
              AND p.closed_at IS NULL AND p.operation_id IS NULL))
    ORDER BY o.received_at LIMIT $1
"""


async def decidable(pool: Pool, most: int) -> Any:
    """Return parked reports that can be decided now: `id`, `kind`, `job_id`, `payload`."""
    return await pool.fetch(_DECIDABLE, most)


async def known_job(pool: Pool, kind: Kind, job_id: str) -> KnownJob | None:
    """Find the job of this id, or the one whose provider's operation has this id."""
    row = await pool.fetchrow(_KNOWN, job_id, kind.name)
    if row is None:
        return None
    return KnownJob(row["id"], row["owner_id"], row["organization_id"], JobStatus(row["status"]))


async def application_generation(pool: Pool, kind: Kind, job_id: str) -> Any:
    """Return the generation an application made without us, or None."""
    return await pool.fetchrow(_GENERATION_OWNER[kind.name], job_id)


async def has_open_submit(pool: Pool, owner_id: str) -> bool:
    """Tell whether a provider may still owe this user an operation id."""
    return bool(await pool.fetchval(_OPEN_SUBMIT, owner_id))
