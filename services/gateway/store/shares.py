"""Share links: only a hash of the token is kept, and a revoked one stays as what says that it is gone."""

INSERT_SHARE = """
    INSERT INTO sorami.shares (id, owner_id, token_hash, prefix, generation_id, album_id, show_prompt, password_hash,
           expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9::double precision * interval '1 second')
"""
REVOKE_SHARE = """
    UPDATE sorami.shares SET revoked_at = coalesce(revoked_at, now()) WHERE id = $2 AND owner_id = $1 RETURNING id
"""
# count_attempt: one row a share, begun anew when its window is over; the count decides before anything is hashed.
COUNT_ATTEMPT = """
    INSERT INTO sorami.share_attempts AS a (share_id) VALUES ($1)
    ON CONFLICT (share_id) DO UPDATE SET
        attempts = CASE WHEN a.began_at < now() - $2::float8 * interval '1 second' THEN 1 ELSE a.attempts + 1 END,
        began_at = CASE WHEN a.began_at < now() - $2::float8 * interval '1 second' THEN now() ELSE a.began_at END
    RETURNING attempts, extract(epoch FROM began_at + $2::float8 * interval '1 second' - now())::float8 AS seconds_left
"""
FORGET_ATTEMPTS = "DELETE FROM sorami.share_attempts WHERE share_id = $1"
