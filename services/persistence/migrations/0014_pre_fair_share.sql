-- Whose turn it is: lines of waiting tasks, how far the turns have come, what is paused, and who works.

-- A line is what one owner has queued of one kind and model at one provider. People without an organisation ('') and
-- organisations (owner '') take turns with one another, the members of an organisation among themselves. `place` is
-- where an owner's next turn stands: each turn moves it on by 1 / weight, the same in all lines of the owner.
CREATE TABLE sorami.lines (
    provider text NOT NULL,
    organization_id text NOT NULL,
    owner_id text NOT NULL,
    kind text NOT NULL,
    model text NOT NULL,
    place double precision NOT NULL DEFAULT 0,
    served_at timestamptz NOT NULL DEFAULT '-infinity',
    waiting boolean NOT NULL DEFAULT true,
    CONSTRAINT lines_pkey PRIMARY KEY (provider, organization_id, owner_id, kind, model)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX lines_accounts_idx ON sorami.lines (provider, kind, model, place, served_at)
    WHERE waiting AND (organization_id = '' OR owner_id = '');
CREATE INDEX lines_members_idx ON sorami.lines (provider, organization_id, kind, model, place, served_at)
    WHERE waiting AND organization_id <> '' AND owner_id <> '';

-- How far the turns of a provider have come, and those inside an organisation: whoever waited behind a pause, a cap or
-- nothing at all begins here, and catches nothing up.
CREATE TABLE sorami.turns (
    provider text NOT NULL,
    organization_id text NOT NULL,
    turn double precision NOT NULL,
    CONSTRAINT turns_pkey PRIMARY KEY (provider, organization_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE sorami.pauses (
    scope text NOT NULL,
    name text NOT NULL DEFAULT '',
    reason text,
    paused_by text NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pauses_pkey PRIMARY KEY (scope, name),
    CONSTRAINT pauses_scope_check CHECK (scope IN ('all', 'provider', 'model', 'kind'))
);

CREATE TABLE sorami.workers (
    worker text CONSTRAINT workers_pkey PRIMARY KEY,
    slots jsonb NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- A task that rests is queued and stands in no line: not before it is due, and until the next claim puts it there.
ALTER TABLE sorami.tasks ADD COLUMN rests boolean NOT NULL DEFAULT false;
UPDATE sorami.tasks SET rests = true WHERE state = 'queued';

CREATE INDEX tasks_line_idx ON sorami.tasks
    (provider, coalesce(organization_id, ''), owner_id, kind, coalesce(model, ''), priority DESC, created_at, job_id)
    WHERE state = 'queued' AND NOT rests;
CREATE INDEX tasks_resting_idx ON sorami.tasks (due_at) WHERE state = 'queued' AND rests;
CREATE INDEX tasks_under_way_idx ON sorami.tasks (provider, model, organization_id, owner_id)
    WHERE state IN ('running', 'waiting');
DROP INDEX sorami.tasks_queue_idx;
DROP INDEX sorami.tasks_due_idx;

-- Lines are written by one transaction at a time: the lock is held for a millisecond or two, and makes order and caps
-- exact over all processes.
CREATE FUNCTION sorami.lock_lines() RETURNS void
LANGUAGE sql VOLATILE AS $$ SELECT pg_advisory_xact_lock(hashtextextended('sorami.lines', 0)) $$;

-- Whoever has something queued waits, and the organisation with them. The place of one who was here before is kept.
CREATE FUNCTION sorami.line_up(
    providers text[], organizations text[], owners text[], kinds text[], models text[]
) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM sorami.lock_lines();
    INSERT INTO sorami.lines AS l (provider, organization_id, owner_id, kind, model, place)
    SELECT g.provider, g.organization_id, g.owner_id, g.kind, g.model,
           coalesce((SELECT max(o.place) FROM sorami.lines o WHERE o.provider = g.provider
                     AND o.organization_id = g.organization_id AND o.owner_id = g.owner_id), 0)
    FROM (SELECT provider, organization_id, owner_id, kind, model
          FROM unnest(providers, organizations, owners, kinds, models)
              AS m(provider, organization_id, owner_id, kind, model)
          UNION
          SELECT provider, organization_id, '', kind, model
          FROM unnest(providers, organizations, owners, kinds, models)
              AS m(provider, organization_id, owner_id, kind, model)
          WHERE organization_id <> '') AS g
    ON CONFLICT (provider, organization_id, owner_id, kind, model) DO UPDATE SET waiting = true WHERE NOT l.waiting;
END
$$;

CREATE FUNCTION sorami.stand_in_line() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sorami.line_up(array_agg(provider), array_agg(organization_id), array_agg(owner_id), array_agg(kind),
                           array_agg(model))
    FROM (SELECT DISTINCT provider, coalesce(organization_id, '') AS organization_id, owner_id, kind,
                 coalesce(model, '') AS model
          FROM added WHERE state = 'queued' AND NOT rests) AS new_ones
    HAVING count(*) > 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER tasks_stand_in_line AFTER INSERT ON sorami.tasks
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION sorami.stand_in_line();

-- What comes back to the queue, or moves to another line of it, is put there by the next claim after it is due.
CREATE FUNCTION sorami.rest() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.rests := true;
    RETURN NEW;
END
$$;

CREATE TRIGGER tasks_rest BEFORE UPDATE ON sorami.tasks FOR EACH ROW
    WHEN (NEW.state = 'queued' AND (OLD.state <> 'queued' OR OLD.provider <> NEW.provider OR OLD.kind <> NEW.kind
                                    OR OLD.model IS DISTINCT FROM NEW.model))
    EXECUTE FUNCTION sorami.rest();

-- An owner, or an organisation (owner ''), has had a turn among those who share `clock`.
CREATE FUNCTION sorami.take_turn(
    of_provider text, of_organization text, of_owner text, clock text, from_place double precision,
    weight double precision
) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    began double precision;
BEGIN
    INSERT INTO sorami.turns AS t (provider, organization_id, turn) VALUES (of_provider, clock, from_place)
    ON CONFLICT (provider, organization_id) DO UPDATE SET turn = greatest(t.turn, excluded.turn)
    RETURNING turn INTO began;
    UPDATE sorami.lines l SET place = began + 1 / weight, served_at = clock_timestamp()
    WHERE l.provider = of_provider AND l.organization_id = of_organization AND l.owner_id = of_owner;
END
$$;

-- An owner's lines in which nothing is left wait no more, nor an organisation in whose lines nobody does.
CREATE FUNCTION sorami.leave_lines(of_provider text, of_organization text, of_owner text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    left_some boolean;
BEGIN
    UPDATE sorami.lines l SET waiting = false
    WHERE l.provider = of_provider AND l.organization_id = of_organization AND l.owner_id = of_owner AND l.waiting
      AND NOT EXISTS (
          SELECT FROM sorami.tasks t
          WHERE t.state = 'queued' AND NOT t.rests AND t.provider = l.provider AND t.owner_id = l.owner_id
            AND coalesce(t.organization_id, '') = l.organization_id
            AND t.kind = l.kind AND coalesce(t.model, '') = l.model);
    left_some := FOUND;
    IF left_some AND of_organization <> '' THEN
        UPDATE sorami.lines l SET waiting = false
        WHERE l.provider = of_provider AND l.organization_id = of_organization AND l.owner_id = '' AND l.waiting
          AND NOT EXISTS (
              SELECT FROM sorami.lines m
              WHERE m.waiting AND m.owner_id <> '' AND m.organization_id <> '' AND m.provider = l.provider
                AND m.organization_id = l.organization_id AND m.kind = l.kind AND m.model = l.model);
    END IF;
    RETURN left_some;
END
$$;

-- The tasks whose turn it is, one turn after the other, leased to `claimer`. `weights` and `caps` are numbers by
-- subject ('user:u1', 'organization:o1', 'provider:veo', 'model:m') or by sort of subject ('user'). A cap counts what
-- is under way: tasks at work here and operations that a provider works on.
CREATE FUNCTION sorami.claim_tasks(
    free_providers text[], free_slots integer[], claimer text, lease_seconds double precision, weights jsonb,
    caps jsonb
) RETURNS SETOF sorami.tasks
-- By index whatever the planner believes of tables that grow from nothing to a hundred thousand rows in a minute.
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    busy jsonb := '{}';
    closed jsonb := '{}';
    at_provider text;
    slots integer;
    open_kinds text[];
    open_models text[];
    account record;
    member record;
    taken sorami.tasks;
    subject text;
BEGIN
    PERFORM sorami.lock_lines();
    IF EXISTS (SELECT FROM sorami.pauses p WHERE p.scope = 'all') THEN
        RETURN;
    END IF;

    WITH due AS (
        SELECT t.job_id FROM sorami.tasks t WHERE t.state = 'queued' AND t.rests AND t.due_at <= now()
        ORDER BY t.due_at LIMIT 500 FOR UPDATE SKIP LOCKED
    ), back AS (
        UPDATE sorami.tasks t SET rests = false FROM due WHERE t.job_id = due.job_id
        RETURNING t.provider, coalesce(t.organization_id, '') AS organization_id, t.owner_id, t.kind,
                  coalesce(t.model, '') AS model
    )
    SELECT sorami.line_up(array_agg(provider), array_agg(organization_id), array_agg(owner_id), array_agg(kind),
                          array_agg(model))
    INTO subject FROM back HAVING count(*) > 0;

    IF caps <> '{}' THEN
        SELECT coalesce(jsonb_object_agg(u.subject, u.number), '{}'),
               coalesce(jsonb_object_agg(u.subject, true) FILTER (WHERE u.number >= u.cap), '{}')
        INTO busy, closed
        FROM (SELECT s.subject, count(*) AS number,
                     coalesce(caps->>s.subject, caps->>split_part(s.subject, ':', 1))::integer AS cap
              FROM sorami.tasks t CROSS JOIN LATERAL (
                  VALUES ('provider:' || t.provider), ('model:' || t.model), ('organization:' || t.organization_id),
                         ('user:' || t.owner_id)) AS s(subject)
              WHERE t.state IN ('running', 'waiting') AND s.subject IS NOT NULL
              GROUP BY s.subject) AS u
        WHERE u.cap IS NOT NULL;
    END IF;

    FOR at_provider, slots IN
        SELECT f.provider, f.slots FROM unnest(free_providers, free_slots) AS f(provider, slots)
        WHERE NOT EXISTS (SELECT FROM sorami.pauses p WHERE p.scope = 'provider' AND p.name = f.provider)
    LOOP
        open_kinds := NULL;
        WHILE slots > 0 AND NOT closed ? ('provider:' || at_provider) LOOP
            IF open_kinds IS NULL THEN
                WITH RECURSIVE lane AS (
                    (SELECT l.kind, l.model FROM sorami.lines l
                     WHERE l.waiting AND (l.organization_id = '' OR l.owner_id = '') AND l.provider = at_provider
                     ORDER BY l.kind, l.model LIMIT 1)
                    UNION ALL
                    SELECT n.kind, n.model FROM lane CROSS JOIN LATERAL (
                        SELECT l.kind, l.model FROM sorami.lines l
                        WHERE l.waiting AND (l.organization_id = '' OR l.owner_id = '') AND l.provider = at_provider
                          AND (l.kind, l.model) > (lane.kind, lane.model)
                        ORDER BY l.kind, l.model LIMIT 1) AS n
                )
                SELECT array_agg(lane.kind), array_agg(lane.model) INTO open_kinds, open_models FROM lane
                WHERE NOT closed ? ('model:' || lane.model) AND NOT EXISTS (
                    SELECT FROM sorami.pauses p
                    WHERE (p.scope = 'kind' AND p.name = lane.kind) OR (p.scope = 'model' AND p.name = lane.model));
                EXIT WHEN open_kinds IS NULL;
            END IF;

            SELECT a.organization_id, a.owner_id, a.place INTO account
            FROM unnest(open_kinds, open_models) AS lane(kind, model) CROSS JOIN LATERAL (
                SELECT l.organization_id, l.owner_id, l.place, l.served_at FROM sorami.lines l
                WHERE l.waiting AND (l.organization_id = '' OR l.owner_id = '')
                  AND l.provider = at_provider AND l.kind = lane.kind AND l.model = lane.model
                  AND NOT closed ? CASE l.owner_id WHEN '' THEN 'organization:' || l.organization_id
                                   ELSE 'user:' || l.owner_id END
                  AND (l.owner_id <> '' OR EXISTS (
                      SELECT FROM sorami.lines m
                      WHERE m.waiting AND m.organization_id <> '' AND m.owner_id <> '' AND m.provider = l.provider
                        AND m.organization_id = l.organization_id AND m.kind = l.kind AND m.model = l.model
                        AND NOT closed ? ('user:' || m.owner_id)))
                ORDER BY l.place, l.served_at LIMIT 1) AS a
            ORDER BY a.place, a.served_at LIMIT 1;
            EXIT WHEN NOT FOUND;

            member := account;
            IF account.organization_id <> '' THEN
                SELECT a.organization_id, a.owner_id, a.place INTO member
                FROM unnest(open_kinds, open_models) AS lane(kind, model) CROSS JOIN LATERAL (
                    SELECT m.organization_id, m.owner_id, m.place, m.served_at FROM sorami.lines m
                    WHERE m.waiting AND m.organization_id <> '' AND m.owner_id <> '' AND m.provider = at_provider
                      AND m.organization_id = account.organization_id AND m.kind = lane.kind
                      AND m.model = lane.model AND NOT closed ? ('user:' || m.owner_id)
                    ORDER BY m.place, m.served_at LIMIT 1) AS a
                ORDER BY a.place, a.served_at LIMIT 1;
            END IF;

            -- Within one owner's turns the most urgent comes first, whatever its kind and model.
            WITH head AS (
                SELECT h.job_id FROM unnest(open_kinds, open_models) AS lane(kind, model) CROSS JOIN LATERAL (
                    SELECT t.job_id, t.priority, t.created_at FROM sorami.tasks t
                    WHERE t.state = 'queued' AND NOT t.rests AND t.provider = at_provider
                      AND coalesce(t.organization_id, '') = member.organization_id AND t.owner_id = member.owner_id
                      AND t.kind = lane.kind AND coalesce(t.model, '') = lane.model
                    ORDER BY t.priority DESC, t.created_at, t.job_id LIMIT 1 FOR UPDATE SKIP LOCKED) AS h
                ORDER BY h.priority DESC, h.created_at, h.job_id LIMIT 1
            )
            UPDATE sorami.tasks t
            SET state = 'running', fence = t.fence + 1, attempts = t.attempts + 1, worker = claimer,
                lease_until = now() + claim_tasks.lease_seconds * interval '1 second', step = 'initializing',
                report_step = 0, updated_at = now()
            FROM head WHERE t.job_id = head.job_id RETURNING t.* INTO taken;

            IF NOT FOUND THEN
                IF NOT sorami.leave_lines(at_provider, member.organization_id, member.owner_id) THEN
                    -- Somebody is deciding on what stands first there: another claim looks again.
                    closed := closed || jsonb_build_object('user:' || member.owner_id, true);
                END IF;
                CONTINUE;
            END IF;
            RETURN NEXT taken;
            slots := slots - 1;

            PERFORM sorami.take_turn(
                at_provider, member.organization_id, member.owner_id, member.organization_id, member.place,
                coalesce(weights->>('user:' || member.owner_id), weights->>'user', '1')::double precision);
            IF account.organization_id <> '' THEN
                PERFORM sorami.take_turn(
                    at_provider, account.organization_id, '', '', account.place,
                    coalesce(weights->>('organization:' || account.organization_id), weights->>'organization', '1')
                        ::double precision);
            END IF;
            PERFORM sorami.leave_lines(at_provider, member.organization_id, member.owner_id);

            IF caps <> '{}' THEN
                FOREACH subject IN ARRAY ARRAY['provider:' || at_provider, 'model:' || taken.model,
                                               'organization:' || taken.organization_id, 'user:' || taken.owner_id] LOOP
                    CONTINUE WHEN subject IS NULL OR NOT caps ?| ARRAY[subject, split_part(subject, ':', 1)];
                    busy := busy || jsonb_build_object(subject, coalesce((busy->>subject)::integer, 0) + 1);
                    IF (busy->>subject)::integer
                       >= coalesce(caps->>subject, caps->>split_part(subject, ':', 1))::integer THEN
                        closed := closed || jsonb_build_object(subject, true);
                        open_kinds := NULL;
                    END IF;
                END LOOP;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
