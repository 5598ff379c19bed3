-- Who renders: how each provider fares, and every attempt with its model and its failure.
CREATE TABLE sorami.provider_health (
    provider text NOT NULL,
    -- '' stands for the provider itself, whatever the model.
    model text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'closed' CONSTRAINT provider_health_state_check
        CHECK (state IN ('closed', 'open', 'half_open')),
    failures integer NOT NULL DEFAULT 0,
    openings integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    opened_at timestamptz,
    last_failure_at timestamptz,
    last_success_at timestamptz,
    last_failure_code text,
    CONSTRAINT provider_health_pkey PRIMARY KEY (provider, model)
) WITH (fillfactor = 85);

ALTER TABLE sorami.operations
    ADD COLUMN model text,
    ADD COLUMN failure jsonb;

-- What waits and may be rendered by another model, for the moment its own model's door is shut.
CREATE INDEX tasks_movable_idx ON sorami.tasks (provider, model, created_at)
    WHERE state = 'queued' AND request -> 'fallbacks' <> '[]'::jsonb;
