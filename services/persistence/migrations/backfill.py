"""What an adopted database holds already is made searchable: in small transactions, while others go on writing."""

from collections.abc import Callable

from contracts.kinds import KINDS, Kind
from services.persistence.migrations.files import SqlFile
from services.persistence.migrations.findings import Connection

BATCH = 2_000
SAY_EVERY = 100_000

# Recorded beside the numbered files when it is done; a run that was stopped begins again, which changes nothing.
SEARCH_BACKFILL = SqlFile("search.backfill", "backfill", "1")


def _prompts(kind: Kind) -> str:
    return f"""SELECT g.id, '{kind.name}' AS kind, g."authorId" AS owner_id, g."createdAt"::timestamptz AS created_at,
                      sorami.search_document(g.prompt) AS document
               FROM {kind.generations_table} g WHERE g.id = ANY($1::text[])"""  # noqa: S608 - declared names


# index_prompts: documents and words of these generations, whoever wrote them; the session's time zone must be UTC.
INDEX_PROMPTS = f"""
    WITH made AS MATERIALIZED (
        {" UNION ALL ".join(_prompts(kind) for kind in KINDS.values())}
    ), spelt AS (
        INSERT INTO sorami.search_words (word, near)
        SELECT found.word, sorami.search_near(found.word)
        FROM (SELECT DISTINCT u.lexeme AS word FROM made, unnest(made.document) AS u(lexeme, positions, weights)
              WHERE 'A' = ANY(u.weights) AND length(u.lexeme) BETWEEN 3 AND 30 AND u.lexeme ~ '^[[:alpha:]]+$') found
        WHERE NOT EXISTS (SELECT FROM sorami.search_words known WHERE known.word = found.word)
        ORDER BY found.word
        ON CONFLICT (word) DO NOTHING
    )
    INSERT INTO sorami.search_documents (generation_id, kind, owner_id, created_at, document)
    SELECT id, kind, owner_id, created_at, document FROM made ORDER BY id
    ON CONFLICT (generation_id) DO UPDATE SET kind = excluded.kind, owner_id = excluded.owner_id,
        created_at = excluded.created_at, document = excluded.document
"""  # noqa: S608 - declared names


async def fill_search(connection: Connection, say: Callable[[str], None]) -> None:
    """Index every generation that stands; each batch is a transaction of its own."""
    await connection.execute("SET timezone TO 'UTC'")
    for kind in KINDS.values():
        page = f"SELECT id FROM {kind.generations_table} WHERE id > $1 ORDER BY id LIMIT {BATCH}"  # noqa: S608
        last, done = "", 0
        while ids := [row["id"] for row in await connection.fetch(page, last)]:
            await connection.execute(INDEX_PROMPTS, ids)
            last, before, done = ids[-1], done, done + len(ids)
            if done // SAY_EVERY > before // SAY_EVERY:
                say(f"{done} {kind.plural} are searchable")
