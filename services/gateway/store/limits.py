"""What is kept for a while only: idempotency keys after their day, shares of minutes that are over."""

from services.gateway.store.jobs import KEY_HOURS

CHUNK = 1_000

# A share older than a day is somebody's who is away: the next request counts afresh.
FORGET_KEYS = f"""
    DELETE FROM sorami.idempotency_keys WHERE (owner_id, key) IN (
        SELECT owner_id, key FROM sorami.idempotency_keys
        WHERE created_at < now() - interval '{KEY_HOURS} hours'
        ORDER BY created_at LIMIT {CHUNK} FOR UPDATE SKIP LOCKED)
"""  # noqa: S608 - constant parts only
FORGET_ALLOWANCES = f"""
    DELETE FROM sorami.allowances WHERE subject IN (
        SELECT subject FROM sorami.allowances WHERE window_start < now() - interval '1 day'
        ORDER BY window_start LIMIT {CHUNK} FOR UPDATE SKIP LOCKED)
"""  # noqa: S608 - constant parts only
DUE_KEYS = f"""
    SELECT count(*) FROM (SELECT FROM sorami.idempotency_keys
                          WHERE created_at < now() - interval '{KEY_HOURS} hours' LIMIT 10000) few
"""  # noqa: S608 - constant parts only
DUE_ALLOWANCES = """
    SELECT count(*) FROM (SELECT FROM sorami.allowances
                          WHERE window_start < now() - interval '1 day' LIMIT 10000) few
"""
