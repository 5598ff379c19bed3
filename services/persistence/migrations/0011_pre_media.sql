-- Uploads, smaller versions of media, and addresses of media that are gone.

ALTER TABLE sorami.files ADD COLUMN thumbnails jsonb, ADD COLUMN placeholder text;

CREATE TABLE sorami.uploads (
    id text CONSTRAINT uploads_pkey PRIMARY KEY,
    owner_id text NOT NULL,
    sha256 text NOT NULL,
    storage_key text NOT NULL,
    filename text,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    completed_at timestamptz,
    last_used_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uploads_owner_id_sha256_key UNIQUE (owner_id, sha256),
    CONSTRAINT uploads_state_check CHECK (state IN ('waiting', 'ready'))
);

CREATE INDEX uploads_owner_idx ON sorami.uploads (owner_id, created_at DESC, id DESC);
CREATE INDEX uploads_unfinished_idx ON sorami.uploads (expires_at) WHERE state = 'waiting';
CREATE INDEX uploads_used_idx ON sorami.uploads (last_used_at) WHERE state = 'ready';

-- One counter a person and day, raised by whoever answers: gateways agree on the limit.
CREATE TABLE sorami.upload_days (
    owner_id text NOT NULL,
    day date NOT NULL,
    count integer NOT NULL,
    bytes bigint NOT NULL,
    CONSTRAINT upload_days_pkey PRIMARY KEY (owner_id, day)
);

CREATE TABLE sorami.gone_media (
    token text CONSTRAINT gone_media_pkey PRIMARY KEY,
    gone_at timestamptz NOT NULL DEFAULT now()
);

-- The generator looks among the purges of the last days for objects that are still there.
CREATE INDEX deletions_purged_idx ON sorami.deletions (purged_at) WHERE purged_at IS NOT NULL;
