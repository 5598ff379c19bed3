-- What a person deleted: every read leaves it out at once. Restoring removes the row; after the window persistence
-- removes the generation for good and the row stays as its tombstone, so that the id is never taken again.

CREATE TABLE sorami.deletions (
    generation_id text CONSTRAINT deletions_pkey PRIMARY KEY,
    kind text NOT NULL,
    owner_id text NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now(),
    purge_after timestamptz NOT NULL,
    purged_at timestamptz
);

CREATE INDEX deletions_owner_idx ON sorami.deletions (owner_id, deleted_at DESC, generation_id DESC);
CREATE INDEX deletions_due_idx ON sorami.deletions (purge_after) WHERE purged_at IS NULL;
