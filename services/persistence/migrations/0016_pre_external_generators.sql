-- What workers of others report, until their job has ended: the last sign of life, and how they say it ended.
CREATE TABLE sorami.worker_reports (
    job_id text PRIMARY KEY,
    provider text NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT now(),
    topic text,
    event jsonb
);

-- The newest unfinished picture of a job that runs.
ALTER TABLE sorami.jobs ADD COLUMN preview jsonb;
CREATE INDEX jobs_preview_idx ON sorami.jobs ((preview ->> 'token')) WHERE preview IS NOT NULL;

-- How far the janitor of objects has looked.
CREATE TABLE sorami.janitor_marks (
    name text PRIMARY KEY,
    after text NOT NULL,
    looked_at timestamptz NOT NULL DEFAULT now()
);
