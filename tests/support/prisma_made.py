"""A database that an application made with Prisma and used: the seeds' models, 1,000 generations, their doubles."""

from pathlib import Path

from tests.support.postgres import Database

DDL = Path(__file__).with_name("prisma_made.sql")

PAIRS = 300  # one picture, two rows: the application's cuid left PENDING, the backend's UUID COMPLETED
PLAIN = 380
OTHERS = 20
GENERATIONS = 2 * PAIRS + PLAIN + OTHERS

PEOPLE = """
INSERT INTO users (id, "clerkId", email, "updatedAt")
SELECT 'cmh1' || substr(md5('user' || i), 1, 21), 'user_' || i, i || '@example.org', now()
FROM generate_series(1, 20) i;

INSERT INTO organizations (id, "clerkId", name, "updatedAt")
SELECT 'cmh2' || substr(md5('org' || i), 1, 21), 'org_' || i, 'Organisation ' || i, now() FROM generate_series(1, 3) i;

INSERT INTO organization_memberships (id, "userId", "organizationId")
SELECT 'cmh4' || substr(md5(u.id), 1, 21), u.id, o.id
FROM users u JOIN organizations o ON o."clerkId" = 'org_' || 1 + length(u."clerkId") % 3;
"""

WORK = f"""
CREATE TEMP TABLE authors AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM users;

-- the application's rows of the pairs
INSERT INTO image_generations (id, prompt, "authorId", "createdAt", "updatedAt")
SELECT 'cmh3' || substr(md5('pair' || i), 1, 21), 'Un chat mignon ' || i, a.id,
       timestamp '2025-10-01' + i * interval '7 minutes', now()
FROM generate_series(1, {PAIRS}) i JOIN authors a ON a.place = i % 20;

-- the backend's rows of the pairs, and those where it kept the id
INSERT INTO image_generations (id, prompt, model, "authorId", status, progress, "createdAt", "updatedAt", "completedAt")
SELECT CASE WHEN i <= {PAIRS} THEN md5('backend' || i)::uuid::text ELSE 'cmh3' || substr(md5('kept' || i), 1, 21) END,
       'Un chat mignon ' || i, 'gemini-2.5-flash-image', a.id, 'COMPLETED', 100,
       timestamp '2025-10-01 00:00:12.345' + i * interval '7 minutes', now(),
       timestamp '2025-10-01 00:00:14' + i * interval '7 minutes'
FROM generate_series(1, {PAIRS + PLAIN}) i JOIN authors a ON a.place = i % 20;

INSERT INTO image_generations (id, prompt, "authorId", status, progress, "updatedAt")
SELECT 'cmh3' || substr(md5('other' || i), 1, 21), 'Un chien ' || i, a.id,
       (ARRAY['FAILED', 'GENERATING'])[1 + i % 2]::"ImageJobStatus", 60, now()
FROM generate_series(1, {OTHERS}) i JOIN authors a ON a.place = i % 20;

INSERT INTO image_files (id, "generationId", filename, "s3Key", "fileUrl", "fileSize", format, width, height,
                         "aspectRatio", metadata, "createdAt")
SELECT 'cmh5' || substr(md5(g.id), 1, 21), g.id, 'image_1.png', 'images/' || g.id || '/image_1.png',
       'https://s3.amazonaws.com/bucket/images/' || g.id || '/image_1.png', 524288, 'PNG', 1024, 1024, '1024x1024',
       jsonb_build_object('description', g.prompt), g."completedAt"
FROM image_generations g WHERE g.status = 'COMPLETED';

INSERT INTO notifications (id, "userId", type, title, message, metadata, "createdAt")
SELECT 'cmh6' || substr(md5(g.id), 1, 21), g."authorId", 'IMAGE_COMPLETED', '🎨 Images générées avec succès',
       '1 image(s) créée(s).', jsonb_build_object('generationId', g.id, 'source', 'backend-direct'), g."completedAt"
FROM image_generations g WHERE g.status = 'COMPLETED';

INSERT INTO notifications (id, "userId", type, title, message)
SELECT 'cmh7' || substr(md5(id), 1, 21), id, 'WELCOME', 'Bienvenue', 'Bonjour' FROM users;

INSERT INTO video_generations (id, prompt, "authorId", status, progress, "updatedAt", "completedAt")
SELECT 'cmh8' || substr(md5('video' || i), 1, 21), 'Une mer ' || i, a.id, 'COMPLETED', 100, now(), now()
FROM generate_series(1, 50) i JOIN authors a ON a.place = i % 20;

INSERT INTO video_files (id, "generationId", filename, "s3Key", "fileUrl")
SELECT 'cmh9' || substr(md5(id), 1, 21), id, 'video_1.mp4', 'videos/' || id || '/video_1.mp4',
       'https://s3.amazonaws.com/bucket/videos/' || id || '/video_1.mp4' FROM video_generations;

INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count)
VALUES ('5d0b2c1e-7a57-4a0c-9d4b-6b8b5a0d3f11', repeat('0', 64), '20251001000000_init', now(), 1);
"""

# A webhook that was handled twice: the same file and the same notification again, some of them three times.
DOUBLES = """
INSERT INTO image_files SELECT 'double' || n || md5(id), "generationId", filename, "s3Key", "fileUrl", "fileSize",
       format, width, height, "aspectRatio", metadata, "createdAt" + n * interval '1 second'
FROM (SELECT * FROM image_files ORDER BY id LIMIT {count}) f, generate_series(1, {times}) n;

INSERT INTO notifications SELECT 'double' || n || md5(id), "userId", type, title, message, metadata, read,
       "createdAt" + n * interval '1 second'
FROM (SELECT * FROM notifications WHERE type = 'IMAGE_COMPLETED' ORDER BY id LIMIT {count}) f,
     generate_series(1, {times}) n;
"""


def make(database: Database, *, doubles: int = 20, times: int = 2, schema: str = "public") -> None:
    """Fill an empty database as the application would have; `doubles` files and notifications stand `times` more."""
    ddl = DDL.read_text(encoding="utf-8").replace(
        'CREATE SCHEMA IF NOT EXISTS "public"', f'CREATE SCHEMA IF NOT EXISTS "{schema}"'
    )
    database.execute(f'SET search_path TO "{schema}"; {ddl}')
    database.execute(f'SET search_path TO "{schema}"; {PEOPLE}{WORK}{DOUBLES.format(count=doubles, times=times)}')


def everything(database: Database, schema: str = "public") -> dict[str, list[tuple[str, ...]]]:
    """Every row of the application's tables by the columns the application knows."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for (table,) in database.rows("SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", schema):
        found[table] = database.rows(f'SELECT md5(t::text) FROM "{schema}"."{table}" t ORDER BY 1')
    return found
