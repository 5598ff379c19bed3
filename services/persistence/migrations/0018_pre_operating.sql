-- What became of dead letters and parked reports: an operator sends them on or sets them aside, and the row says so.
ALTER TABLE sorami.dead_letters
    ADD COLUMN resolution text CONSTRAINT dead_letters_resolution_check CHECK (resolution IN ('replayed', 'discarded')),
    ADD COLUMN resolved_at timestamptz,
    ADD COLUMN resolved_by text;
ALTER TABLE sorami.orphans
    ADD COLUMN resolution text CONSTRAINT orphans_resolution_check CHECK (resolution IN ('assigned', 'discarded')),
    ADD COLUMN resolved_at timestamptz,
    ADD COLUMN resolved_by text;

CREATE INDEX dead_letters_open_idx ON sorami.dead_letters (at, topic, partition, "offset", consumer)
    WHERE resolution IS NULL;
CREATE INDEX dead_letters_at_idx ON sorami.dead_letters (at, topic, partition, "offset", consumer);
CREATE INDEX orphans_open_idx ON sorami.orphans (received_at, id) WHERE resolution IS NULL;

-- Which request a delivery comes from: its attempts stand in that trace.
ALTER TABLE sorami.deliveries ADD COLUMN traceparent text;
