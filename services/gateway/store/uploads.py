"""What people upload: one row and one object for the same bytes of the same owner."""

_FIELDS = """id, owner_id, sha256, storage_key, filename, content_type, size_bytes, state, created_at, expires_at,
    completed_at, last_used_at"""

# count_upload: raised only below both limits, so that any number of gateways agree.
COUNT_UPLOAD = """
    INSERT INTO sorami.upload_days AS d (owner_id, day, count, bytes)
    SELECT $1, (now() AT TIME ZONE 'UTC')::date, 1, $2 WHERE $3::int >= 1 AND $4::bigint >= $2::bigint
    ON CONFLICT (owner_id, day) DO UPDATE SET count = d.count + 1, bytes = d.bytes + excluded.bytes
    WHERE d.count < $3 AND d.bytes + excluded.bytes <= $4
    RETURNING d.count
"""

# begin_upload: nothing comes back when another request has finished the same bytes meanwhile.
BEGIN_UPLOAD = f"""
    INSERT INTO sorami.uploads AS u (id, owner_id, sha256, storage_key, filename, content_type, size_bytes, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 second')
    ON CONFLICT (owner_id, sha256) DO UPDATE
    SET filename = coalesce(excluded.filename, u.filename), content_type = excluded.content_type,
        size_bytes = excluded.size_bytes, expires_at = excluded.expires_at
    WHERE u.state = 'waiting'
    RETURNING {_FIELDS}
"""  # noqa: S608 - constant parts only

FINISH_UPLOAD = f"""
    UPDATE sorami.uploads SET state = 'ready', content_type = $2, completed_at = now(), last_used_at = now()
    WHERE id = $1 AND state = 'waiting' RETURNING {_FIELDS}
"""  # noqa: S608 - constant parts only

USE_UPLOAD = "UPDATE sorami.uploads SET last_used_at = now() WHERE id = $1"

DELETE_UPLOAD = "DELETE FROM sorami.uploads WHERE id = $1 AND owner_id = $2 RETURNING storage_key"

# drop_uploads: those that never came, and those that nobody used for a long time ($1 days).
DROP_UPLOADS = """
    DELETE FROM sorami.uploads WHERE id IN (
        SELECT id FROM sorami.uploads
        WHERE (state = 'waiting' AND expires_at < now())
           OR (state = 'ready' AND last_used_at < now() - $1 * interval '1 day')
        LIMIT 20 FOR UPDATE SKIP LOCKED)
    RETURNING storage_key
"""

DROP_UPLOAD_DAYS = "DELETE FROM sorami.upload_days WHERE day < (now() AT TIME ZONE 'UTC')::date - 2"
