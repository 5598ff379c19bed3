-- Settled tasks that still hold what was asked for and what came of it, oldest first: emptied after a while.
CREATE INDEX tasks_settled_idx ON sorami.tasks (settled_at)
    WHERE settled_at IS NOT NULL AND request <> '{}'::jsonb;
