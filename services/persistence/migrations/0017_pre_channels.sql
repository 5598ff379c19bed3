-- One-use tickets of streams, addresses that single jobs bring, and channels that are told in sentences.

CREATE TABLE sorami.stream_tickets (
    token_hash bytea CONSTRAINT stream_tickets_pkey PRIMARY KEY,
    user_id text NOT NULL,
    key_id text,
    session_hash bytea,
    expires_at timestamptz NOT NULL
);
CREATE INDEX stream_tickets_expires_at_idx ON sorami.stream_tickets (expires_at);

CREATE TABLE sorami.job_webhooks (
    job_id text CONSTRAINT job_webhooks_pkey PRIMARY KEY,
    url text NOT NULL,
    event_types text[]
);

-- What jobs bring is sent under one endpoint of their owner's, which has the secret and no address of its own.
ALTER TABLE sorami.webhook_endpoints
    ADD COLUMN per_job boolean NOT NULL DEFAULT false,
    ADD COLUMN digest_seconds integer NOT NULL DEFAULT 0,
    ADD COLUMN language text NOT NULL DEFAULT 'fr',
    DROP CONSTRAINT webhook_endpoints_dialect_check,
    ADD CONSTRAINT webhook_endpoints_dialect_check CHECK (dialect IN ('standard', 'legacy', 'apprise')) NOT VALID;
ALTER TABLE sorami.webhook_endpoints VALIDATE CONSTRAINT webhook_endpoints_dialect_check;

-- The address of a channel holds its password, so it is a secret itself.
ALTER TABLE sorami.webhook_secrets
    DROP CONSTRAINT webhook_secrets_scheme_check,
    ADD CONSTRAINT webhook_secrets_scheme_check CHECK (scheme IN ('hmac', 'ed25519', 'shared', 'address')) NOT VALID;
ALTER TABLE sorami.webhook_secrets VALIDATE CONSTRAINT webhook_secrets_scheme_check;

ALTER TABLE sorami.deliveries ADD COLUMN url text;
