"""What the janitor of objects asks before it removes anything, and how far it has looked."""

from collections.abc import Sequence

from services.runtime.database import Pool

# begin_look: one process a turn; whoever gets the row looks on from its key.
BEGIN_LOOK = """
    INSERT INTO sorami.janitor_marks AS m (name, after) VALUES ('objects', '')
    ON CONFLICT (name) DO UPDATE SET looked_at = now() WHERE m.looked_at < now() - $1 * interval '1 second'
    RETURNING after
"""

END_LOOK = "UPDATE sorami.janitor_marks SET after = $1 WHERE name = 'objects'"

# kept_media: keys ($1) of jobs ($2, by place) that stay. A job whose work is not surely over keeps all it has, and so
# does one of which no task, no operation and no request of ours is known, or whose media a backend made and reported.
KEPT_MEDIA = """
    SELECT k.key FROM unnest($1::text[], $2::text[]) AS k(key, job_id)
    LEFT JOIN sorami.jobs j ON j.id = k.job_id
    LEFT JOIN sorami.tasks t ON t.job_id = k.job_id
    WHERE (t.job_id IS NULL AND j.origin IS DISTINCT FROM 'api'
           AND NOT EXISTS (SELECT FROM sorami.operations o WHERE o.job_id = k.job_id AND o.provider <> 'flask'))
       OR j.status IN ('PENDING', 'GENERATING') OR j.origin <> 'api' OR j.provider IN ('flask', 'backend')
       OR t.state IN ('queued', 'waiting', 'running') OR (t.verdict IS NOT NULL AND t.settled_at IS NULL)
       OR EXISTS (SELECT FROM sorami.operations o WHERE o.job_id = k.job_id AND o.closed_at IS NULL)
       OR EXISTS (SELECT FROM sorami.files f WHERE f.job_id = k.job_id
                  AND (k.key IN (f.storage_key, f.thumbnail_key) OR f.external_url IS NOT NULL
                       OR f.thumbnails @> jsonb_build_array(jsonb_build_object('key', k.key))))
       OR EXISTS (SELECT FROM image_files i WHERE i."generationId" = k.job_id AND i."s3Key" = k.key)
       OR EXISTS (SELECT FROM video_files v WHERE v."generationId" = k.job_id AND v."s3Key" = k.key)
"""

KEPT_UPLOADS = """
    SELECT k.key FROM unnest($1::text[]) AS k(key)
    WHERE EXISTS (SELECT FROM sorami.uploads u WHERE u.storage_key = k.key AND u.sha256 = split_part(k.key, '/', 3))
"""

# kept_folders: files of this or another machine that a lease may still go on with.
KEPT_FOLDERS = """
    SELECT m->>'path' AS path FROM sorami.operations o, jsonb_array_elements(o.rendered->'media') m
    WHERE o.closed_at IS NULL AND o.rendered IS NOT NULL AND m->>'path' IS NOT NULL
"""


async def begin_look(pool: Pool, every_seconds: float) -> str | None:
    """Return the key after which to look on; None when somebody has looked lately."""
    after: str | None = await pool.fetchval(BEGIN_LOOK, every_seconds)
    return after


async def end_look(pool: Pool, after: str) -> None:
    """Note how far was looked; an empty key begins anew."""
    await pool.execute(END_LOOK, after)


async def kept_media(pool: Pool, keys: Sequence[str], job_ids: Sequence[str]) -> set[str]:
    """Return those of the keys of jobs' media that must stay."""
    return {row["key"] for row in await pool.fetch(KEPT_MEDIA, list(keys), list(job_ids))}


async def kept_uploads(pool: Pool, keys: Sequence[str]) -> set[str]:
    """Return those of the keys of uploads that a row names."""
    return {row["key"] for row in await pool.fetch(KEPT_UPLOADS, list(keys))}


async def kept_folders(pool: Pool) -> set[str]:
    """Return the paths of rendered media that are not stored yet."""
    return {row["path"] for row in await pool.fetch(KEPT_FOLDERS)}
