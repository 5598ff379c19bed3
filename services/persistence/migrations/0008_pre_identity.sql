-- API keys, who signed a browser in and how, sign-ins under way at an OIDC provider, and the audit log.

CREATE TABLE sorami.api_keys (
    id text CONSTRAINT api_keys_pkey PRIMARY KEY,
    owner_id text NOT NULL,
    organization_id text,
    name text NOT NULL,
    prefix text NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT api_keys_token_hash_key UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
) WITH (fillfactor = 85);

CREATE INDEX api_keys_owner_idx ON sorami.api_keys (owner_id, created_at DESC, id DESC) WHERE revoked_at IS NULL;

ALTER TABLE sorami.sessions
    ADD COLUMN organization_id text,
    ADD COLUMN role text,
    ADD COLUMN email text,
    ADD COLUMN actor text,
    ADD COLUMN key_id text,
    ADD COLUMN way text NOT NULL DEFAULT 'link',
    ADD CONSTRAINT sessions_way_check CHECK (way IN ('link', 'oidc', 'key'));

CREATE INDEX sessions_expires_at_idx ON sorami.sessions (expires_at);

CREATE TABLE sorami.signin_states (
    state_hash bytea CONSTRAINT signin_states_pkey PRIMARY KEY,
    browser_hash bytea NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    return_to text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX signin_states_expires_at_idx ON sorami.signin_states (expires_at);

-- Only ever added to: no service may change or remove a line.
CREATE TABLE sorami.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_log_pkey PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    on_behalf_of text,
    action text NOT NULL,
    subject text,
    request_id text,
    detail jsonb
);

CREATE INDEX audit_log_at_idx ON sorami.audit_log (at);
