-- Search, favourites, albums, shares and read marks. `generation_id` columns have no foreign key to sorami.jobs,
-- since rows that an application made stand in Prisma's tables alone.

-- Search. Nothing here needs an extension, so it works under a login that may not create one: accents are folded by
-- a function, stems come from Postgres' own French and English, typing errors are found by words with a letter less.

CREATE FUNCTION sorami.search_fold(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN CASE WHEN octet_length(words) = length(words) THEN lower(words) ELSE translate(
    replace(replace(replace(replace(replace(lower(normalize(words, NFC)),
        'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), 'Æ', 'ae'), 'ß', 'ss'),
    -- The last six have no partner and are dropped: combining accents that stand alone.
    'àáâãäåāăąçćčďđèéêëēėęěğìíîïīįıłñńňòóôõöøōőřśšşťţùúûüūůűųýÿžźż'
    'ÀÁÂÃÄÅĀĂĄÇĆČĎĐÈÉÊËĒĖĘĚĞÌÍÎÏĪĮİŁÑŃŇÒÓÔÕÖØŌŐŘŚŠŞŤŢÙÚÛÜŪŮŰŲÝŸŽŹŻ' || U&'\0300\0301\0302\0303\0308\0327',
    'aaaaaaaaacccddeeeeeeeegiiiiiiilnnnoooooooorsssttuuuuuuuuyyzzz'
    'aaaaaaaaacccddeeeeeeeegiiiiiiilnnnoooooooorsssttuuuuuuuuyyzzz'
) END;

-- Words alone: what the parser would take for a path, a host or a compound falls apart here.
CREATE FUNCTION sorami.search_words_of(prompt text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN translate(left(prompt, 10000), './:@_-+&=#%<>|\*~^', repeat(' ', 18));

-- A word itself weighs A, its stems weigh D: who typed the very word finds it first.
CREATE FUNCTION sorami.search_document(prompt text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    spelt CONSTANT text := sorami.search_words_of(prompt);
    folded CONSTANT text := sorami.search_fold(spelt);
    french tsvector;
BEGIN
    IF octet_length(spelt) = length(spelt) THEN
        french := to_tsvector('pg_catalog.french', folded);
    ELSE
        -- The French stems need the accents ("dorée" is "dor", "doree" is not), so they are folded afterwards.
        french := sorami.search_fold(to_tsvector('pg_catalog.french', spelt)::text)::tsvector;
    END IF;
    RETURN setweight(to_tsvector('pg_catalog.simple', folded), 'A')
        || to_tsvector('pg_catalog.english', folded) || french;
END
$$;

-- What a word that is looked for may stand as: itself first, then its stems; and the languages that would leave it out.
CREATE FUNCTION sorami.search_lexemes(word text, OUT lexemes text[], OUT is_stop boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT array(SELECT sorami.search_fold(word)
                 UNION SELECT unnest(tsvector_to_array(sorami.search_document(word)))
                 UNION SELECT unnest(tsvector_to_array(to_tsvector('pg_catalog.french', sorami.search_fold(word))))),
           to_tsvector('pg_catalog.english', sorami.search_fold(word)) = ''::tsvector
           OR to_tsvector('pg_catalog.french', lower(word)) = ''::tsvector
$$;

-- By which a word that was mistyped is found: itself, itself without one letter, and the ends of a longer one.
CREATE FUNCTION sorami.search_near(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT array(SELECT word
                 UNION SELECT left(word, n - 1) || substr(word, n + 1) FROM generate_series(1, length(word)) AS n
                 UNION SELECT '^' || left(word, 4) WHERE length(word) >= 7
                 UNION SELECT '$' || right(word, 5) WHERE length(word) >= 7)
$$;

CREATE TABLE sorami.search_documents (
    generation_id text CONSTRAINT search_documents_pkey PRIMARY KEY,
    kind text NOT NULL,
    owner_id text NOT NULL,
    created_at timestamptz NOT NULL,
    document tsvector NOT NULL
);

CREATE INDEX search_documents_owner_idx ON sorami.search_documents (owner_id, created_at DESC, generation_id DESC);
-- A short list of what was not merged yet, since every search reads it whole.
CREATE INDEX search_documents_document_idx ON sorami.search_documents USING gin (document)
    WITH (gin_pending_list_limit = 512);

CREATE TABLE sorami.search_pending (
    generation_id text CONSTRAINT search_pending_pkey PRIMARY KEY,
    kind text NOT NULL,
    owner_id text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX search_pending_owner_idx ON sorami.search_pending (owner_id);

CREATE TABLE sorami.search_words (
    word text CONSTRAINT search_words_pkey PRIMARY KEY,
    near text[] NOT NULL
);

CREATE INDEX search_words_near_idx ON sorami.search_words USING gin (near);

-- Triggers keep search in step for whoever writes, an application with its own role included: they run with the
-- rights of whoever migrated. They only note the row; persistence makes its document, and until then searches read
-- the prompt itself.

CREATE FUNCTION sorami.note_new_prompts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO sorami.search_pending (generation_id, kind, owner_id)
    SELECT id, TG_ARGV[0], "authorId" FROM fresh ORDER BY id
    ON CONFLICT (generation_id) DO NOTHING;
    RETURN NULL;
END
$$;

CREATE FUNCTION sorami.note_changed_prompt() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The document of the old text goes at once. The note is touched even where it stands, so that it waits for an
    -- indexer that is just reading the old text.
    DELETE FROM sorami.search_documents WHERE generation_id = OLD.id;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO sorami.search_pending AS p (generation_id, kind, owner_id)
        VALUES (NEW.id, TG_ARGV[0], NEW."authorId")
        ON CONFLICT (generation_id) DO UPDATE SET owner_id = excluded.owner_id, noted_at = excluded.noted_at;
    ELSE
        DELETE FROM sorami.search_pending WHERE generation_id = OLD.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER search_insert AFTER INSERT ON image_generations REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION sorami.note_new_prompts('image');
CREATE TRIGGER search_insert AFTER INSERT ON video_generations REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION sorami.note_new_prompts('video');

CREATE TRIGGER search_update AFTER UPDATE OF prompt, "authorId", "createdAt" ON image_generations FOR EACH ROW
WHEN (OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD."authorId" IS DISTINCT FROM NEW."authorId"
      OR OLD."createdAt" IS DISTINCT FROM NEW."createdAt")
EXECUTE FUNCTION sorami.note_changed_prompt('image');
CREATE TRIGGER search_update AFTER UPDATE OF prompt, "authorId", "createdAt" ON video_generations FOR EACH ROW
WHEN (OLD.prompt IS DISTINCT FROM NEW.prompt OR OLD."authorId" IS DISTINCT FROM NEW."authorId"
      OR OLD."createdAt" IS DISTINCT FROM NEW."createdAt")
EXECUTE FUNCTION sorami.note_changed_prompt('video');

CREATE TRIGGER search_delete AFTER DELETE ON image_generations FOR EACH ROW
EXECUTE FUNCTION sorami.note_changed_prompt('image');
CREATE TRIGGER search_delete AFTER DELETE ON video_generations FOR EACH ROW
EXECUTE FUNCTION sorami.note_changed_prompt('video');

-- Whatever is not finished is little, and is looked for among millions of finished ones.
CREATE INDEX image_generations_unfinished_idx
    ON image_generations ("authorId", "createdAt" DESC, id DESC) WHERE status <> 'COMPLETED';
CREATE INDEX video_generations_unfinished_idx
    ON video_generations ("authorId", "createdAt" DESC, id DESC) WHERE status <> 'COMPLETED';

-- Lineage and what came from a backend: both are few among all jobs.
CREATE INDEX jobs_parent_idx ON sorami.jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_retry_idx ON sorami.jobs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX jobs_backend_idx ON sorami.jobs (owner_id, created_at DESC, id DESC) WHERE origin = 'backend-direct';

-- `made_at` is the generation's own moment, so that a filtered gallery pages in its order.
CREATE TABLE sorami.favourites (
    owner_id text NOT NULL,
    generation_id text NOT NULL,
    kind text NOT NULL,
    made_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT favourites_pkey PRIMARY KEY (owner_id, generation_id)
);

CREATE INDEX favourites_made_idx ON sorami.favourites (owner_id, made_at DESC, generation_id DESC);
CREATE INDEX favourites_newest_idx ON sorami.favourites (owner_id, created_at DESC, generation_id DESC);
CREATE INDEX favourites_generation_id_idx ON sorami.favourites (generation_id);

CREATE TABLE sorami.albums (
    id text CONSTRAINT albums_pkey PRIMARY KEY,
    owner_id text NOT NULL,
    name text NOT NULL,
    description text,
    cover_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX albums_owner_idx ON sorami.albums (owner_id, created_at DESC, id DESC);

CREATE TABLE sorami.album_items (
    album_id text NOT NULL CONSTRAINT album_items_album_id_fkey REFERENCES sorami.albums (id) ON DELETE CASCADE,
    generation_id text NOT NULL,
    kind text NOT NULL,
    made_at timestamptz NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT album_items_pkey PRIMARY KEY (album_id, generation_id)
);

CREATE INDEX album_items_made_idx ON sorami.album_items (album_id, made_at DESC, generation_id DESC);
CREATE INDEX album_items_generation_id_idx ON sorami.album_items (generation_id);

CREATE TABLE sorami.shares (
    id text CONSTRAINT shares_pkey PRIMARY KEY,
    owner_id text NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT shares_token_hash_key UNIQUE,
    prefix text NOT NULL,
    generation_id text,
    album_id text CONSTRAINT shares_album_id_fkey REFERENCES sorami.albums (id) ON DELETE CASCADE,
    show_prompt boolean NOT NULL DEFAULT false,
    password_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT shares_subject_check CHECK ((generation_id IS NULL) <> (album_id IS NULL))
);

CREATE INDEX shares_owner_idx ON sorami.shares (owner_id, created_at DESC, id DESC);
CREATE INDEX shares_album_id_idx ON sorami.shares (album_id);
CREATE INDEX shares_generation_id_idx ON sorami.shares (generation_id);

CREATE TABLE sorami.share_attempts (
    share_id text CONSTRAINT share_attempts_pkey PRIMARY KEY
        CONSTRAINT share_attempts_share_id_fkey REFERENCES sorami.shares (id) ON DELETE CASCADE,
    began_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 1
);

CREATE TABLE sorami.notification_reads (
    notification_id text CONSTRAINT notification_reads_pkey PRIMARY KEY,
    user_id text NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now()
);

-- Up to this moment everything was read at once.
CREATE TABLE sorami.notification_marks (
    user_id text CONSTRAINT notification_marks_pkey PRIMARY KEY,
    read_until timestamptz NOT NULL
);
