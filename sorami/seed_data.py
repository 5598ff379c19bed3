"""`sorami seed-data`: fills a database with jobs that look like people's, for measurements; never in production."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from contracts.failures import Failure, FailureCode
from contracts.kinds import KINDS, Kind
from services.runtime.database_url import parse_database_url

CHUNK = 50_000
CONNECTIONS = 2
REBUILD_FROM = 200_000
"""From so many rows on, the search index is dropped and built anew: several times quicker than keeping it in step."""

VIDEO_SHARE, FAVOURITE_SHARE, APPLICATION_SHARE = 15, 2, 3
"""Per cent of all jobs."""

# Ids say what they are: `cseed` and 20 digits; what begins otherwise is never touched.
SEEDED = "LIKE 'cseed%'"

_SUBJECTS_FR = (
    "un chat roux|un renard des neiges|une baleine bleue|un phare breton|une vieille locomotive|un dragon d'or|\
une danseuse étoile|un château médiéval|une forêt de bouleaux|un astronaute|une théière fêlée|un marché provençal|\
des chevaux sauvages|une bibliothèque infinie|un robot jardinier|une île volante|un loup solitaire|une méduse géante|\
un boulanger souriant|un vélo rouillé"
)
_SUBJECTS_EN = "a ginger cat|an arctic fox|a blue whale|a lonely lighthouse|an old steam engine|a golden dragon|\
a ballet dancer|a medieval castle|a birch forest|an astronaut|a cracked teapot|a crowded night market|wild horses|\
an endless library|a gardening robot|a floating island|a lone wolf|a giant jellyfish|a smiling baker|a rusty bicycle"
_PLACES_FR = "sur une plage au coucher du soleil|dans la brume du matin|au milieu d'un champ de lavande|sous la neige|\
dans une ruelle de Lyon|au bord d'un lac gelé|devant une fenêtre ouverte|dans un désert rouge|sous les étoiles|\
au fond de l'océan|pendant un orage d'été|sur les toits de Paris"
_PLACES_EN = "on a beach at sunset|in the morning mist|in the middle of a lavender field|under falling snow|\
in a narrow alley|by a frozen lake|in front of an open window|in a red desert|under the stars|\
at the bottom of the ocean|during a summer storm|above the rooftops of the city"
_WAYS_FR = "lumière dorée|très détaillé, 8k|aquarelle légère|à l'encre de Chine|style affiche rétro|grain argentique|\
couleurs pastel|clair-obscur|vue du ciel|gros plan"
_WAYS_EN = "golden light|highly detailed, 8k|soft watercolour|ink drawing|vintage poster style|film grain|\
pastel colours|chiaroscuro|aerial view|close-up"
_SYLLABLES = "vel|mor|ka|ri|to|sen|lu|da|phi|ne|bo|gar"
_STYLES = "illustration|photo|photorealistic|ink|watercolor|anime|3d|sketch"

_PARAMETERS = """
    SELECT n, 'cseed' || lpad(n::text, 20, '0') AS id, $3::text[] AS owners,
           date_trunc('milliseconds', now() - interval '365 days' * ($4::bigint - n) / $5::bigint) AS at,
           abs(hashint8extended(n, 1)) AS h1, abs(hashint8extended(n, 2)) AS h2, abs(hashint8extended(n, 3)) AS h3,
           abs(hashint8extended(n, 4)) AS h4
    FROM generate_series($1::bigint, $2::bigint) AS n
"""


def _pick(words: str, number: str) -> str:
    items = words.split("|")
    listed = ", ".join("'" + item.replace("'", "''") + "'" for item in items)
    return f"(ARRAY[{listed}])[1 + {number} % {len(items)}]"


_NAME = f"initcap({_pick(_SYLLABLES, 'h2 / 7')} || {_pick(_SYLLABLES, 'h3 / 7')} || {_pick(_SYLLABLES, 'h4 / 7')})"
_JOBS = f"""
    CREATE TEMP TABLE seeded ON COMMIT DROP AS
    SELECT n, id, owners[1 + h1 % cardinality(owners)] AS owner_id, at,
        CASE WHEN h2 % 100 < {VIDEO_SHARE} THEN 'video' ELSE 'image' END AS kind,
        CASE WHEN h3 % 2 = 0
             THEN concat_ws(', ', {_pick(_SUBJECTS_FR, "h2")} || ' ' || {_pick(_PLACES_FR, "h3")},
                            {_pick(_WAYS_FR, "h4")}, CASE WHEN h1 % 5 = 0 THEN 'à ' || {_NAME} END)
             ELSE concat_ws(', ', {_pick(_SUBJECTS_EN, "h2")} || ' ' || {_pick(_PLACES_EN, "h3")},
                            {_pick(_WAYS_EN, "h4")}, CASE WHEN h1 % 5 = 0 THEN 'in ' || {_NAME} END) END AS prompt,
        -- What is still open has no job of ours: no service must take it for work.
        CASE WHEN h4 % 1000 < 900 THEN 'COMPLETED' WHEN h4 % 1000 < 960 THEN 'FAILED'
             WHEN h4 % 1000 < 990 THEN 'CANCELLED' WHEN h4 % 1000 < 995 THEN 'GENERATING' ELSE 'PENDING' END AS status,
        h4 % 1000 >= 990 OR h3 % 100 < {APPLICATION_SHARE} AS by_application,
        CASE WHEN h1 % 3 = 0 THEN {_pick(_STYLES, "h3")} END AS style,
        (ARRAY['standard', 'standard', 'draft', 'high'])[1 + h3 % 4] AS quality,
        (ARRAY['procedural-1', 'instant', 'gemini-2.5-flash-image'])[1 + h4 % 3] AS model,
        CASE WHEN h1 % 100 = 7 THEN 'backend-direct' ELSE 'api' END AS origin,
        CASE WHEN h1 % 50 = 0 AND n > $1 THEN 'cseed' || lpad((n - 1)::text, 20, '0') END AS parent_id, h1, h2
    FROM ({_PARAMETERS}) numbers
"""


def _generations(kind: Kind) -> str:
    return f"""
        INSERT INTO {kind.generations_table} (id, prompt, style, quality, model, size, format, "authorId", status,
               progress, "createdAt", "completedAt")
        SELECT id, prompt, style, quality, model, '{kind.default_size}', '{kind.default_format}', owner_id,
               (CASE status WHEN 'CANCELLED' THEN 'FAILED' ELSE status END)::"ImageJobStatus",
               CASE status WHEN 'COMPLETED' THEN 100 WHEN 'GENERATING' THEN 60 ELSE 0 END,
               at AT TIME ZONE 'UTC', CASE WHEN status = 'COMPLETED' THEN at AT TIME ZONE 'UTC' + interval '9 s' END
        FROM seeded WHERE kind = '{kind.name}' ORDER BY n
    """


def _prisma_files(kind: Kind) -> str:
    width, height = kind.default_size.split("x")
    name = f"{kind.name}_1.{kind.default_format.lower()}"
    return f"""
        INSERT INTO {kind.files_table} (id, "generationId", filename, "s3Key", "fileUrl", "fileSize", format, width,
               height, "aspectRatio", metadata, "createdAt")
        SELECT 'f' || id, id, '{name}', '{kind.plural}/' || id || '/{name}', '/media/seed-' || id || '/{name}',
               200000 + h1 % 900000, '{kind.default_format}', {width}, {height}, '{kind.default_size}',
               jsonb_build_object('description', prompt), at AT TIME ZONE 'UTC'
        FROM seeded WHERE kind = '{kind.name}' AND status = 'COMPLETED' ORDER BY n
    """


_FAILURE = Failure.of(FailureCode.PROVIDER_ERROR, "made up").model_dump_json()
_STEPS = (
    *(_generations(kind) for kind in KINDS.values()),
    f"""INSERT INTO sorami.jobs (id, kind, owner_id, origin, status, progress, provider, model, request, request_hash,
              failure, metadata, parent_id, created_at, updated_at, completed_at)
       SELECT id, kind, owner_id, origin, status, CASE status WHEN 'COMPLETED' THEN 100 ELSE 0 END, 'procedural', model,
              jsonb_build_object('prompt', prompt), '', CASE WHEN status = 'FAILED' THEN
              '{_FAILURE}'::jsonb END,
              jsonb_build_object('model_name', model), parent_id, at, at, at + interval '9 s'
       FROM seeded WHERE NOT by_application ORDER BY n""",
    *(_prisma_files(kind) for kind in KINDS.values()),
    f"""INSERT INTO sorami.files (id, job_id, kind, index, token, storage_key, filename, content_type, size_bytes,
              width, height, description, created_at)
       SELECT 'f' || id, id, kind, 1, 'seed-' || id, kind || 's/' || id || '/' || kind || '_1.' || ending,
              kind || '_1.' || ending, type, 200000 + h1 % 900000, 1024, 1024, prompt, at
       FROM seeded JOIN (VALUES {", ".join(
           f"('{kind.name}', '{kind.default_format.lower()}', '{kind.formats[kind.default_format]}')"
           for kind in KINDS.values()
       )}) AS media (of, ending, type) ON of = kind
       WHERE NOT by_application AND status = 'COMPLETED' ORDER BY n""",
    f"""INSERT INTO sorami.favourites (owner_id, generation_id, kind, made_at, created_at)
       SELECT owner_id, id, kind, at, at + interval '1 hour'
       FROM seeded WHERE h1 / 64 % 100 < {FAVOURITE_SHARE} ORDER BY n""",
)  # fmt: skip
_DOCUMENTS = """INSERT INTO sorami.search_documents (generation_id, kind, owner_id, created_at, document)
       SELECT id, kind, owner_id, at, sorami.search_document(prompt)
       FROM seeded WHERE n > $1 ORDER BY n"""
_WORDS = """INSERT INTO sorami.search_words (word, near)
       SELECT word, sorami.search_near(word) FROM (
           SELECT DISTINCT u.lexeme AS word FROM seeded, unnest(sorami.search_document(prompt)) AS u(lexeme, p, weights)
           WHERE 'A' = ANY(u.weights) AND length(u.lexeme) BETWEEN 3 AND 30 AND u.lexeme ~ '^[[:alpha:]]+$') found
       ORDER BY word ON CONFLICT (word) DO NOTHING"""
_REMOVALS = (
    f"DELETE FROM sorami.favourites WHERE generation_id {SEEDED}",
    f"DELETE FROM sorami.album_items WHERE generation_id {SEEDED}",
    f"DELETE FROM sorami.search_pending WHERE generation_id {SEEDED}",
    f"DELETE FROM sorami.search_documents WHERE generation_id {SEEDED}",
    f"DELETE FROM sorami.files WHERE job_id {SEEDED}",
    *(f'DELETE FROM {kind.files_table} WHERE "generationId" {SEEDED}' for kind in KINDS.values()),
    f"DELETE FROM sorami.jobs WHERE id {SEEDED}",
    *(f"DELETE FROM {kind.generations_table} WHERE id {SEEDED}" for kind in KINDS.values()),
    f"DELETE FROM users WHERE id {SEEDED}",
)


class SeedingRefused(Exception):
    """This database is not one to fill; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How much is to be made, and for whom; `owner` is a user's id or what the identity provider calls them."""

    jobs: int
    owners: int = 1
    owner: str | None = None
    searchable: int | None = None


def check_environment(environ: Mapping[str, str]) -> str:
    """Return the database's address; raises SeedingRefused in production or without an address."""
    if environ.get("ENVIRONMENT", "development").strip().lower() in ("production", "prod", "staging"):
        raise SeedingRefused("ENVIRONMENT says that this is not a place for made-up rows; nothing was written")
    url = environ.get("DATABASE_URL", "")
    if not url:
        raise SeedingRefused("DATABASE_URL is not set")
    return url


async def seed(url: str, wish: Wish) -> None:
    """Fill the database; what it held before stays, and numbers go on where the last run ended."""
    async with _opened(url) as connections:
        first = connections[0]
        owners = await _owners(first, wish)
        begin = 1 + await first.fetchval(
            f"SELECT coalesce(max(substr(id, 6)::bigint), 0) FROM (SELECT id FROM image_generations WHERE id {SEEDED}"
            f" UNION ALL SELECT id FROM video_generations WHERE id {SEEDED}) seeded"
        )
        end = begin + wish.jobs - 1
        rebuilds = wish.jobs >= REBUILD_FROM
        if rebuilds:
            await first.execute("DROP INDEX sorami.search_documents_document_idx")
        try:
            await _fill(connections, wish, owners, (begin, end))
        finally:
            if rebuilds:
                await _rebuild(first)
        for table in ("image_generations", "video_generations", "sorami.jobs", "sorami.search_documents",
                      "sorami.favourites", "image_files", "video_files", "sorami.files"):  # fmt: skip
            await first.execute(f"VACUUM (ANALYZE) {table}")
        _say("done")


async def remove(url: str) -> None:
    """Remove every row that a run of this command made."""
    async with _opened(url) as connections:
        for statement in _REMOVALS:
            _say(f"{await connections[0].execute(statement)}: {statement.split()[2]}")


async def _fill(connections: list[Any], wish: Wish, owners: list[str], span: tuple[int, int]) -> None:
    begin, end = span
    chunks = [(low, min(low + CHUNK - 1, end)) for low in range(begin, end + 1, CHUNK)]
    unsearchable_to = end - wish.searchable if wish.searchable is not None else 0
    began, done = time.monotonic(), 0

    async def work(connection: Any) -> None:
        nonlocal done
        while chunks:
            low, high = chunks.pop(0)
            async with connection.transaction():
                await connection.execute(_JOBS, low, high, owners, end, wish.jobs)
                for statement in _STEPS:
                    await connection.execute(statement)
                await connection.execute(_DOCUMENTS, unsearchable_to)
                if low == begin:
                    await connection.execute(_WORDS)
            done += high - low + 1
            _say(f"{done} of {wish.jobs} jobs after {time.monotonic() - began:.0f} s")

    await asyncio.gather(*(work(connection) for connection in connections))


async def _rebuild(connection: Any) -> None:
    _say("building the search index …")
    await connection.execute("SET maintenance_work_mem = '512MB'")
    await connection.execute(
        "CREATE INDEX search_documents_document_idx ON sorami.search_documents USING gin (document)"
        " WITH (gin_pending_list_limit = 512)"
    )


async def _owners(connection: Any, wish: Wish) -> list[str]:
    if wish.owner is not None:
        found = await connection.fetchval('SELECT id FROM users WHERE id = $1 OR "clerkId" = $1', wish.owner)
        if found is None:
            raise SeedingRefused("nobody is known by this owner; sign in once, or leave --owner out")
        return [found]
    rows = await connection.fetch(
        """INSERT INTO users (id, "clerkId", email, name)
           SELECT 'cseed' || lpad(n::text, 20, '0'), 'seed_user_' || n, 'seed' || n || '@example.org', 'Seed ' || n
           FROM generate_series(1, $1::int) AS n
           ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id""",
        wish.owners,
    )
    return [row["id"] for row in rows]


class _opened:
    """Some connections as one: whoever owns the tables, without triggers where that is allowed."""

    def __init__(self, url: str) -> None:
        self._address = parse_database_url(url)
        self._connections: list[Any] = []

    async def __aenter__(self) -> list[Any]:
        for _ in range(CONNECTIONS):
            settings = self._address.server_settings | {"timezone": "UTC", "synchronous_commit": "off"}
            connection = await asyncpg.connect(self._address.dsn, server_settings=settings, statement_cache_size=0)
            self._connections.append(connection)
            # The triggers would note every prompt for an indexer; here the documents are made in the same statement.
            if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
                await connection.execute("SET session_replication_role = replica")
        return self._connections

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections:
            await connection.close()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(jobs: int, owners: int, owner: str | None, searchable: int | None, removes: bool) -> int:
    """Exit code 0, or 78 when this is not a database to fill."""
    try:
        url = check_environment(os.environ)
        asyncio.run(remove(url) if removes else seed(url, Wish(jobs, owners, owner, searchable)))
    except SeedingRefused as refused:
        sys.stderr.write(f"sorami seed-data: {refused}\n")
        return 78
    return 0
