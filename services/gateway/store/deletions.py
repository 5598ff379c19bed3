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
