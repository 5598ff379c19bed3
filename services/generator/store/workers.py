"""Who renders, for operators and estimates; and lines that nobody stands in any more."""

import json
from collections.abc import Mapping

from services.runtime.database import Pool

SIGN_ON = """
    INSERT INTO sorami.workers (worker, slots) VALUES ($1, $2::jsonb)
    ON CONFLICT (worker) DO UPDATE SET slots = excluded.slots, seen_at = now()
"""

SIGN_OFF = "DELETE FROM sorami.workers WHERE worker = $1"

FORGET_WORKERS = "DELETE FROM sorami.workers WHERE seen_at < now() - interval '1 hour'"

# forget_lines: whoever had no turn for an hour begins anew, which is where turns have come to.
FORGET_LINES = """
    DELETE FROM sorami.lines WHERE NOT waiting AND served_at < now() - interval '1 hour'
"""


async def sign_on(pool: Pool, worker: str, slots: Mapping[str, int]) -> None:
    """Say that this process is here, and how many tasks of each provider it runs at once."""
    await pool.execute(SIGN_ON, worker, json.dumps(dict(slots)))


async def sign_off(pool: Pool, worker: str) -> None:
    """Say that this process takes no more tasks."""
    await pool.execute(SIGN_OFF, worker)


async def forget_absent(pool: Pool) -> None:
    """Delete workers and lines of an hour ago."""
    await pool.execute(FORGET_WORKERS)
    await pool.execute(FORGET_LINES)
