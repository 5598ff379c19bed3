"""Idempotency keys and shares of limits are kept for a day, then deleted a bounded number at a time."""

from typing import Any

import asyncpg

from services.gateway.settings import GatewaySettings
from services.gateway.store.limits import CHUNK
from services.gateway.usecases.forget import rules
from tests.support.postgres import Database, wait_for

KEYS = """
    INSERT INTO sorami.idempotency_keys (owner_id, key, request_hash, language, jobs, created_at)
    SELECT 'u', 'k' || n, 'h', 'fr', '[]', now() - $2 * interval '1 hour' FROM generate_series(1, $1::int) AS n
"""
SHARES = """
    INSERT INTO sorami.allowances (subject, window_start, used, asked, granted, ceiling)
    VALUES ('u:old', now() - interval '25 hours', 1, 1, 1, 1), ('u:new', now(), 1, 1, 1, 1)
"""


def test_only_what_is_old_is_deleted_and_never_too_much_at_once(migrated: Database) -> None:
    async def forget(pool: Any) -> None:
        for rule in rules(GatewaySettings(database_url=migrated.url)):
            await rule.page(pool)

    async def story() -> None:
        async with asyncpg.create_pool(migrated.url, min_size=1, max_size=1) as pool:
            await pool.execute(KEYS, CHUNK + 5, 25)
            await pool.execute(KEYS.replace("'k'", "'young'"), 3, 23)
            await pool.execute(SHARES)
            await pool.execute('SET ROLE "sorami_gateway"')
            await forget(pool)
            assert await pool.fetchval("SELECT count(*) FROM sorami.idempotency_keys") == 5 + 3
            await forget(pool)
            left = await pool.fetch("SELECT key FROM sorami.idempotency_keys ORDER BY key")
            assert [row["key"] for row in left] == ["young1", "young2", "young3"]
            assert [row["subject"] for row in await pool.fetch("SELECT subject FROM sorami.allowances")] == ["u:new"]

    wait_for(story())
