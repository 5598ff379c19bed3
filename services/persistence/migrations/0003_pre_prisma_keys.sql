-- Defaults, foreign keys, checks, unique keys and indexes of Prisma's tables, where they are missing.

-- A required column without a default would refuse our inserts: `updatedAt` (Prisma fills it in its client) and
-- columns of ours that an application declared without their default.
DO $$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT c.relname AS tab, a.attname AS col, coalesce(wanted.value, 'CURRENT_TIMESTAMP') AS value
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN (VALUES
            ('organization_memberships', 'role', quote_literal('member')),
            ('image_generations', 'numImages', '1'),
            ('image_generations', 'size', quote_literal('1024x1024')),
            ('image_generations', 'format', quote_literal('PNG')),
            ('image_generations', 'quality', quote_literal('standard')),
            ('image_generations', 'status', quote_literal('PENDING')),
            ('image_generations', 'progress', '0'),
            ('video_generations', 'numVideos', '1'),
            ('video_generations', 'size', quote_literal('1280x720')),
            ('video_generations', 'format', quote_literal('MP4')),
            ('video_generations', 'durationSeconds', '4'),
            ('video_generations', 'fps', '24'),
            ('video_generations', 'quality', quote_literal('standard')),
            ('video_generations', 'status', quote_literal('PENDING')),
            ('video_generations', 'progress', '0')
        ) AS wanted (tab, col, value) ON wanted.tab = c.relname AND wanted.col = a.attname
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relname IN ('users', 'organizations', 'organization_memberships', 'image_generations', 'image_files',
                            'video_generations', 'video_files', 'notifications')
          AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
          AND (wanted.value IS NOT NULL
               OR (a.attname IN ('updatedAt', 'updated_at', 'createdAt')
                   AND a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype)))
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT %s', missing.tab, missing.col, missing.value);
    END LOOP;
END
$$;

-- Foreign keys by what they say, not by name. On a table with rows a new one holds for new rows only.
DO $$
DECLARE
    wanted record;
    has_rows boolean;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('organization_memberships', 'userId', 'users', 'CASCADE'),
            ('organization_memberships', 'organizationId', 'organizations', 'CASCADE'),
            ('image_generations', 'authorId', 'users', 'RESTRICT'),
            ('image_generations', 'organizationId', 'organizations', 'SET NULL'),
            ('image_files', 'generationId', 'image_generations', 'CASCADE'),
            ('video_generations', 'authorId', 'users', 'RESTRICT'),
            ('video_generations', 'organizationId', 'organizations', 'SET NULL'),
            ('video_files', 'generationId', 'video_generations', 'CASCADE'),
            ('notifications', 'userId', 'users', 'CASCADE')
        ) AS f (tab, col, parent, on_delete)
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_constraint k
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
            WHERE k.contype = 'f' AND a.attname = wanted.col
              AND k.conrelid = to_regclass(wanted.tab) AND k.confrelid = to_regclass(wanted.parent)
        );
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', wanted.tab) INTO has_rows;
        EXECUTE format(
            'ALTER TABLE %I ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %I (id)'
            ' ON DELETE %s ON UPDATE CASCADE %s',
            wanted.tab, wanted.tab || '_' || wanted.col || '_fkey', wanted.col, wanted.parent, wanted.on_delete,
            CASE WHEN has_rows THEN 'NOT VALID' END
        );
    END LOOP;
END
$$;

-- Room in each page for updates that skip the indexes; an operator's own setting stays.
DO $$
DECLARE
    tab text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['image_generations', 'video_generations'] LOOP
        IF (SELECT reloptions IS NULL FROM pg_class WHERE oid = to_regclass(tab)) THEN
            EXECUTE format('ALTER TABLE %I SET (fillfactor = 85)', tab);
        END IF;
    END LOOP;
END
$$;

-- Progress is a percentage; where an application has stored something else, its rows stay writable.
DO $$
DECLARE
    tab text;
    odd boolean;
BEGIN
    FOREACH tab IN ARRAY ARRAY['image_generations', 'video_generations'] LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_constraint
            WHERE conrelid = to_regclass(tab) AND conname = tab || '_progress_check'
        );
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE progress < 0 OR progress > 100)', tab) INTO odd;
        IF NOT odd THEN
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (progress >= 0 AND progress <= 100)',
                           tab, tab || '_progress_check');
        END IF;
    END LOOP;
END
$$;

-- Unique keys. Where rows already stand twice, the oldest of each keeps the key and the surplus ones are left
-- out of it by id (by age when they are many), so that it holds for every other row and every new one.
DO $$
DECLARE
    wanted record;
    rule text;
    surplus text[];
    youngest timestamp;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('users', 'users_clerkId_key', '"clerkId"'),
            ('organizations', 'organizations_clerkId_key', '"clerkId"'),
            ('organization_memberships', 'organization_memberships_userId_organizationId_key',
             '"userId", "organizationId"'),
            ('image_files', 'image_files_generationId_s3Key_key', '"generationId", "s3Key"'),
            ('video_files', 'video_files_generationId_s3Key_key', '"generationId", "s3Key"'),
            ('notifications', 'notifications_userId_type_generation_key',
             '"userId", type, (metadata ->> ''generationId''::text)')
        ) AS k (tab, index_name, key)
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = to_regclass(wanted.tab) AND i.indisunique AND i.indisvalid
              AND (c.relname = wanted.index_name
                   OR i.indpred IS NULL AND wanted.key = (
                       SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true), ', ' ORDER BY n)
                       FROM generate_series(1, i.indnkeyatts) AS n))
        );
        EXECUTE format(
            'SELECT array_agg(id::text), max("createdAt")'
            ' FROM (SELECT id, "createdAt", row_number() OVER (PARTITION BY %1$s ORDER BY "createdAt", id) AS n'
            '       FROM %2$I WHERE ROW(%1$s) IS NOT NULL) AS numbered WHERE n > 1',
            wanted.key, wanted.tab
        ) INTO surplus, youngest;
        rule := CASE
            WHEN surplus IS NULL THEN ''
            WHEN cardinality(surplus) <= 200 THEN format(' WHERE id <> ALL (%L::text[])', surplus)
            ELSE format(' WHERE "createdAt" > %L', youngest)
        END;
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (%s)%s', wanted.index_name, wanted.tab, wanted.key, rule);
        IF surplus IS NOT NULL AND wanted.tab IN ('image_files', 'video_files') THEN
            -- The foreign key has no whole index then.
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I ("generationId")',
                           wanted.tab || '_generationId_idx', wanted.tab);
        END IF;
    END LOOP;
END
$$;

CREATE INDEX IF NOT EXISTS "organization_memberships_organizationId_idx" ON organization_memberships ("organizationId");

CREATE INDEX IF NOT EXISTS image_generations_gallery_idx
    ON image_generations ("authorId", "createdAt" DESC, id DESC) WHERE status = 'COMPLETED';
CREATE INDEX IF NOT EXISTS "image_generations_authorId_createdAt_id_idx"
    ON image_generations ("authorId", "createdAt" DESC, id DESC);
CREATE INDEX IF NOT EXISTS "image_generations_organizationId_idx" ON image_generations ("organizationId");

CREATE INDEX IF NOT EXISTS video_generations_gallery_idx
    ON video_generations ("authorId", "createdAt" DESC, id DESC) WHERE status = 'COMPLETED';
CREATE INDEX IF NOT EXISTS "video_generations_authorId_createdAt_id_idx"
    ON video_generations ("authorId", "createdAt" DESC, id DESC);
CREATE INDEX IF NOT EXISTS "video_generations_organizationId_idx" ON video_generations ("organizationId");

CREATE INDEX IF NOT EXISTS "notifications_userId_createdAt_id_idx"
    ON notifications ("userId", "createdAt" DESC, id DESC);
