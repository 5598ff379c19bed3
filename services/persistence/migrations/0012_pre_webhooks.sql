-- Who is told by webhook: endpoints of people and organisations, their sealed secrets, and what deliveries need for them.

CREATE TABLE sorami.webhook_endpoints (
    id text CONSTRAINT webhook_endpoints_pkey PRIMARY KEY,
    owner_id text NOT NULL,
    organization_id text,
    url text NOT NULL,
    kind_urls jsonb NOT NULL DEFAULT '{}',
    dialect text NOT NULL DEFAULT 'standard',
    event_types text[],
    kinds text[],
    description text,
    headers jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'enabled',
    reason text,
    active_since timestamptz NOT NULL DEFAULT now(),
    failing_since timestamptz,
    noticed_at timestamptz,
    throttle_per_second integer,
    throttle_at timestamptz NOT NULL DEFAULT now(),
    ordered boolean NOT NULL DEFAULT false,
    thin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_endpoints_dialect_check CHECK (dialect IN ('standard', 'legacy')),
    CONSTRAINT webhook_endpoints_state_check CHECK (state IN ('enabled', 'disabled')),
    CONSTRAINT webhook_endpoints_reason_check CHECK (reason IN ('owner', 'gone', 'failing')),
    CONSTRAINT webhook_endpoints_owner_id_url_key UNIQUE (owner_id, url)
) WITH (fillfactor = 85);

CREATE INDEX webhook_endpoints_organization_idx ON sorami.webhook_endpoints (organization_id)
    WHERE organization_id IS NOT NULL;

CREATE TABLE sorami.webhook_secrets (
    id text CONSTRAINT webhook_secrets_pkey PRIMARY KEY,
    endpoint_id text NOT NULL
        CONSTRAINT webhook_secrets_endpoint_id_fkey REFERENCES sorami.webhook_endpoints (id) ON DELETE CASCADE,
    scheme text NOT NULL,
    sealed text NOT NULL,
    public_key text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    CONSTRAINT webhook_secrets_scheme_check CHECK (scheme IN ('hmac', 'ed25519', 'shared'))
);

CREATE INDEX webhook_secrets_endpoint_id_idx ON sorami.webhook_secrets (endpoint_id);

-- A delivery need not be about a job: a test, or word of another endpoint.
ALTER TABLE sorami.deliveries
    ALTER COLUMN job_id DROP NOT NULL,
    ADD COLUMN kind text,
    ADD COLUMN sent_at timestamptz,
    -- Attempts since it was planned or last sent again by hand: where it stands in the schedule.
    ADD COLUMN tries integer NOT NULL DEFAULT 0,
    DROP CONSTRAINT deliveries_state_check,
    ADD CONSTRAINT deliveries_state_check
        CHECK (state IN ('pending', 'delivered', 'superseded', 'exhausted', 'dropped')) NOT VALID;
ALTER TABLE sorami.deliveries VALIDATE CONSTRAINT deliveries_state_check;

-- The sender goes from endpoint to endpoint, so that thousands that wait for one hide none of another.
CREATE INDEX deliveries_pending_idx ON sorami.deliveries (endpoint, next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_endpoint_idx ON sorami.deliveries (endpoint, created_at DESC, id DESC);
CREATE INDEX deliveries_finished_idx ON sorami.deliveries (finished_at) WHERE finished_at IS NOT NULL;
