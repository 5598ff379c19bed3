-- What a backend reported at the end of a job of ours, kept until the job has ended: no hop trusts a topic alone.

CREATE TABLE sorami.backend_reports (
    job_id text NOT NULL,
    topic text NOT NULL,
    event jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT backend_reports_pkey PRIMARY KEY (job_id, topic)
);
