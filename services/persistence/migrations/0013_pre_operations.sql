-- The durable steps of work that somebody else renders: what was sent, what came back, how each attempt ended.
ALTER TABLE sorami.operations
    ADD COLUMN submit_key text,
    ADD COLUMN step text,
    ADD COLUMN submits integer NOT NULL DEFAULT 0,
    ADD COLUMN state jsonb,
    ADD COLUMN rendered jsonb,
    ADD COLUMN collects integer NOT NULL DEFAULT 0,
    ADD COLUMN files jsonb,
    ADD COLUMN cancels integer NOT NULL DEFAULT 0,
    ADD COLUMN outcome text,
    ADD COLUMN failure_code text,
    ADD COLUMN charged text,
    ADD CONSTRAINT operations_step_check
        CHECK (step IN ('submitting', 'submitted', 'rendered', 'stored', 'reported')),
    ADD CONSTRAINT operations_outcome_check CHECK (outcome IN ('completed', 'failed', 'cancelled'));

-- Tasks that wait for their provider, by when it is asked next: the line of queued ones may be long.
CREATE INDEX tasks_waiting_idx ON sorami.tasks (due_at) WHERE state = 'waiting';
-- What ended without its operation: few are open at a time.
CREATE INDEX operations_unclosed_idx ON sorami.operations (job_id) WHERE closed_at IS NULL;
