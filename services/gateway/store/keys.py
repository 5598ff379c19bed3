"""API keys: a key made by another key never lives longer than that one, and a revoked one makes none."""

INSERT_KEY = """
    INSERT INTO sorami.api_keys (id, owner_id, organization_id, name, prefix, token_hash, scopes, expires_at)
    SELECT $1, $2, $3, $4, $5, $6, $7::text[],
           least(now() + $8::int * interval '1 day', (SELECT k.expires_at FROM sorami.api_keys k WHERE k.id = $9))
    WHERE (SELECT count(*) FROM sorami.api_keys o WHERE o.owner_id = $2 AND o.revoked_at IS NULL) < $10
      AND NOT EXISTS (SELECT FROM sorami.api_keys m WHERE m.id = $9 AND m.revoked_at IS NOT NULL)
    RETURNING created_at, expires_at
"""
REVOKE_KEY = """
    WITH known AS (
        SELECT id FROM sorami.api_keys WHERE id = $1 AND owner_id = $2
    ), changed AS (
        UPDATE sorami.api_keys SET revoked_at = now()
        WHERE id = $1 AND owner_id = $2 AND revoked_at IS NULL RETURNING id
    )
    SELECT EXISTS (SELECT FROM changed) AS changed FROM known
"""
