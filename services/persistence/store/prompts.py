"""Search documents of prompts, made beside the request path."""

from services.persistence.migrations.backfill import INDEX_PROMPTS
from services.runtime.database import Pool, transaction

# take_prompts: before their texts are read, so that a change meanwhile is noted again and not lost.
TAKE_PROMPTS = """
    DELETE FROM sorami.search_pending WHERE generation_id IN (
        SELECT generation_id FROM sorami.search_pending LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING generation_id
"""


async def index_prompts(pool: Pool, most: int) -> int:
    """Make the search documents of at most this many new or changed prompts; returns how many there were."""
    async with transaction(pool) as connection:
        ids = [row["generation_id"] for row in await connection.fetch(TAKE_PROMPTS, most)]
        if ids:
            await connection.execute(INDEX_PROMPTS, ids)
    return len(ids)
