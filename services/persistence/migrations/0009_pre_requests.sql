-- Idempotency keys, batches, cancellations and limits.

CREATE TABLE sorami.idempotency_keys (
    owner_id text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    batch_id text,
    language text NOT NULL,
    jobs jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (owner_id, key)
);

CREATE INDEX idempotency_keys_created_at_idx ON sorami.idempotency_keys (created_at);

CREATE TABLE sorami.batches (
    id text CONSTRAINT batches_pkey PRIMARY KEY,
    owner_id text NOT NULL,
    organization_id text,
    total integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    cancelled_at timestamptz
);

CREATE INDEX batches_owner_idx ON sorami.batches (owner_id, created_at DESC, id DESC);
CREATE INDEX jobs_batch_idx ON sorami.jobs (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE sorami.cancellations (
    job_id text CONSTRAINT cancellations_pkey PRIMARY KEY,
    requested_by text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);

CREATE INDEX cancellations_due_idx ON sorami.cancellations (sent_at) WHERE done_at IS NULL;

-- No index but the two that are needed: a share is taken in every statement that makes a job, and stays HOT within
-- its minute.
CREATE TABLE sorami.allowances (
    subject text CONSTRAINT allowances_pkey PRIMARY KEY,
    window_start timestamptz NOT NULL DEFAULT now(),
    used integer NOT NULL,
    asked integer NOT NULL,
    granted integer NOT NULL,
    ceiling integer NOT NULL
) WITH (fillfactor = 85);

CREATE INDEX allowances_window_start_idx ON sorami.allowances (window_start);

CREATE INDEX jobs_owner_open_idx ON sorami.jobs (owner_id) WHERE status IN ('PENDING', 'GENERATING');

-- Volatile, so that it looks with a snapshot of its own: called while an allowance is locked it sees every job that
-- earlier holders of the lock made, which the statement's own snapshot may be too old for.
CREATE FUNCTION sorami.open_jobs(owner text, most integer) RETURNS integer
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT count(*) FROM (SELECT FROM sorami.jobs j
            WHERE j.owner_id = owner AND j.status IN ('PENDING', 'GENERATING') LIMIT most) AS open);
END
$$;

-- Tasks whose deadline passes while they wait are ended although every slot is taken.
CREATE INDEX tasks_deadline_idx ON sorami.tasks (least(start_by, finish_by)) WHERE state = 'queued';
