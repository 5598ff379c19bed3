-- Our own tables. `sorami` and `sorami.schema_migrations` are made by the command that runs these files.

CREATE TABLE sorami.jobs (
    id text CONSTRAINT jobs_pkey PRIMARY KEY,
    kind text NOT NULL,
    owner_id text NOT NULL,
    organization_id text,
    origin text NOT NULL DEFAULT 'api',
    status text NOT NULL DEFAULT 'PENDING',
    stage text,
    progress smallint NOT NULL DEFAULT 0,
    message text,
    seq bigint NOT NULL DEFAULT 0,
    fence integer NOT NULL DEFAULT 0,
    provider text,
    model text,
    request jsonb NOT NULL,
    request_hash text NOT NULL,
    failure jsonb,
    metadata jsonb,
    batch_id text,
    parent_id text,
    retry_of text,
    priority smallint NOT NULL DEFAULT 0,
    start_by timestamptz,
    finish_by timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    CONSTRAINT jobs_origin_check CHECK (origin IN ('api', 'application', 'backend-direct')),
    CONSTRAINT jobs_status_check CHECK (status IN ('PENDING', 'GENERATING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    CONSTRAINT jobs_stage_check CHECK (stage IN ('initializing', 'generating', 'saving')),
    CONSTRAINT jobs_progress_check CHECK (progress >= 0 AND progress <= 100)
) WITH (fillfactor = 85);

CREATE INDEX jobs_owner_idx ON sorami.jobs (owner_id, created_at DESC, id DESC);
-- Both open states in one index without `updated_at`: progress reports stay HOT, and open jobs are few.
CREATE INDEX jobs_open_idx ON sorami.jobs (created_at) WHERE status IN ('PENDING', 'GENERATING');
CREATE INDEX jobs_completed_idx ON sorami.jobs (completed_at) WHERE completed_at IS NOT NULL;

CREATE TABLE sorami.files (
    id text CONSTRAINT files_pkey PRIMARY KEY,
    job_id text NOT NULL CONSTRAINT files_job_id_fkey REFERENCES sorami.jobs (id) ON DELETE CASCADE,
    kind text NOT NULL,
    index integer NOT NULL,
    token text NOT NULL CONSTRAINT files_token_key UNIQUE,
    storage_key text,
    external_url text,
    filename text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint,
    width integer,
    height integer,
    duration_seconds double precision,
    fps integer,
    sha256 text,
    description text,
    thumbnail_key text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT files_address_check CHECK (storage_key IS NOT NULL OR external_url IS NOT NULL),
    CONSTRAINT files_job_id_index_key UNIQUE (job_id, index),
    CONSTRAINT files_job_id_storage_key_key UNIQUE (job_id, storage_key)
);

CREATE TABLE sorami.job_events (
    job_id text NOT NULL,
    seq bigint NOT NULL,
    user_id text NOT NULL,
    n bigint NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT job_events_pkey PRIMARY KEY (job_id, seq),
    CONSTRAINT job_events_user_id_n_key UNIQUE (user_id, n)
);

CREATE INDEX job_events_at_idx ON sorami.job_events (at);

CREATE TABLE sorami.user_counters (
    user_id text CONSTRAINT user_counters_pkey PRIMARY KEY,
    n bigint NOT NULL
) WITH (fillfactor = 85);

CREATE TABLE sorami.outbox_gateway (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_gateway_pkey PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE sorami.outbox_generator (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_generator_pkey PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE sorami.outbox_persistence (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_persistence_pkey PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE sorami.outbox_notifier (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_notifier_pkey PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    headers jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE sorami.tasks (
    job_id text CONSTRAINT tasks_pkey PRIMARY KEY,
    kind text NOT NULL,
    owner_id text NOT NULL,
    organization_id text,
    provider text NOT NULL,
    model text,
    request jsonb NOT NULL,
    traceparent text,
    state text NOT NULL DEFAULT 'queued',
    step text,
    fence integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    worker text,
    attempts integer NOT NULL DEFAULT 0,
    operation_id text,
    due_at timestamptz NOT NULL DEFAULT now(),
    priority smallint NOT NULL DEFAULT 0,
    start_by timestamptz,
    finish_by timestamptz,
    report_step integer NOT NULL DEFAULT 0,
    verdict jsonb,
    settled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tasks_state_check CHECK (state IN ('queued', 'running', 'waiting', 'finished', 'cancelled'))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

CREATE INDEX tasks_queue_idx ON sorami.tasks (priority DESC, created_at) WHERE state = 'queued';
CREATE INDEX tasks_due_idx ON sorami.tasks (due_at) WHERE state IN ('queued', 'waiting');
-- `lease_until` and `updated_at` stand in no index: heartbeats and progress stay HOT, and running tasks are few.
CREATE INDEX tasks_running_idx ON sorami.tasks (created_at) WHERE state = 'running';
CREATE INDEX tasks_unsettled_idx ON sorami.tasks (created_at)
    WHERE state IN ('finished', 'cancelled') AND settled_at IS NULL;
CREATE UNIQUE INDEX tasks_provider_operation_id_key ON sorami.tasks (provider, operation_id)
    WHERE operation_id IS NOT NULL;

CREATE TABLE sorami.operations (
    job_id text NOT NULL,
    attempt integer NOT NULL,
    provider text NOT NULL,
    operation_id text,
    owner_id text NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    CONSTRAINT operations_pkey PRIMARY KEY (job_id, attempt)
);

CREATE INDEX operations_provider_operation_id_idx ON sorami.operations (provider, operation_id);
CREATE INDEX operations_open_idx ON sorami.operations (owner_id) WHERE closed_at IS NULL;

CREATE TABLE sorami.deliveries (
    id text CONSTRAINT deliveries_pkey PRIMARY KEY,
    endpoint text NOT NULL,
    event_id text NOT NULL,
    job_id text NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    fence integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT deliveries_endpoint_event_id_key UNIQUE (endpoint, event_id),
    CONSTRAINT deliveries_state_check CHECK (state IN ('pending', 'delivered', 'superseded', 'exhausted'))
) WITH (fillfactor = 85);

CREATE INDEX deliveries_due_idx ON sorami.deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_job_id_idx ON sorami.deliveries (job_id);

CREATE TABLE sorami.delivery_attempts (
    delivery_id text NOT NULL
        CONSTRAINT delivery_attempts_delivery_id_fkey REFERENCES sorami.deliveries (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    status_code integer,
    error text,
    duration_ms integer,
    answer text,
    CONSTRAINT delivery_attempts_pkey PRIMARY KEY (delivery_id, attempt)
);

CREATE TABLE sorami.dead_letters (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    consumer text NOT NULL,
    key text,
    reason text NOT NULL,
    detail text,
    value bytea,
    headers jsonb,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dead_letters_pkey PRIMARY KEY (topic, partition, "offset", consumer)
);

CREATE TABLE sorami.orphans (
    id text CONSTRAINT orphans_pkey PRIMARY KEY,
    kind text NOT NULL,
    job_id text NOT NULL,
    status text NOT NULL,
    payload jsonb NOT NULL,
    reason text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orphans_kind_job_id_status_key UNIQUE (kind, job_id, status)
);

CREATE TABLE sorami.sessions (
    token_hash bytea CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

CREATE TABLE sorami.signin_tickets (
    jti text CONSTRAINT signin_tickets_pkey PRIMARY KEY,
    used_at timestamptz NOT NULL DEFAULT now()
);
