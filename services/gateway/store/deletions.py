"""What people delete: a row that every read excludes, until it is restored or its window ends."""

from contracts.kinds import KINDS

# The author as an expression: the few ids are looked up, and not the many rows of their author.
_OWN = " UNION ALL ".join(
    f"""SELECT id, '{kind.name}' AS kind FROM {kind.generations_table}
        WHERE id = ANY($1::text[]) AND "authorId" || '' = $2"""  # noqa: S608 - names come from the declared kinds
    for kind in KINDS.values()
)

# delete_generations: once a generation; what is deleted already keeps its date.
DELETE_GENERATIONS = f"""
    INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after)
    SELECT id, kind, $2, now() + $3 * interval '1 day' FROM ({_OWN}) own ORDER BY id
    ON CONFLICT (generation_id) DO NOTHING
    RETURNING generation_id
"""  # noqa: S608 - names come from the declared kinds

RESTORE_GENERATIONS = """
    DELETE FROM sorami.deletions WHERE generation_id = ANY($1::text[]) AND owner_id = $2 AND purged_at IS NULL
    RETURNING generation_id
"""

# delete_old_media: $1 the shortest time of the policy (days), $2 everybody's, 0 for ever, $3 and $4 whose own with
# their days, $5 days that it can be restored. What somebody marked as a favourite stays.
_OLD = """
    SELECT j.id, j.kind, j.owner_id FROM sorami.jobs j
    LEFT JOIN unnest($3::text[], $4::float8[]) AS u(name, days) ON u.name = 'user:' || j.owner_id
    LEFT JOIN unnest($3::text[], $4::float8[]) AS o(name, days) ON o.name = 'organization:' || j.organization_id
    WHERE j.completed_at < now() - $1::float8 * interval '1 day'
      AND coalesce(u.days, o.days, $2::float8) > 0
      AND j.completed_at < now() - coalesce(u.days, o.days, $2::float8) * interval '1 day'
      AND $5::float8 IS NOT NULL
      AND NOT EXISTS (SELECT FROM sorami.deletions d WHERE d.generation_id = j.id)
      AND NOT EXISTS (SELECT FROM sorami.favourites f WHERE f.generation_id = j.id)
"""
DUE_MEDIA = f"SELECT count(*) FROM ({_OLD} LIMIT 10000) few"  # noqa: S608 - constant parts only
DELETE_OLD_MEDIA = f"""
    INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after)
    SELECT old.id, old.kind, old.owner_id, now() + $5::float8 * interval '1 day'
    FROM ({_OLD} ORDER BY j.completed_at LIMIT 500) old ORDER BY old.id
    ON CONFLICT (generation_id) DO NOTHING
"""  # noqa: S608 - constant parts only
