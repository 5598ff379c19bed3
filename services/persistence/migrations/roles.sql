-- One role per service and what it may do: the writers' table as the database enforces it.
-- Applied after the numbered files whenever its text changed or a role is missing; safe to run again.
-- Unqualified names stand in the first schema of the search path. `sorami.login` names the login that takes
-- the roles when it is not the one that runs this.

DO $$
DECLARE
    service text;
    login text := coalesce(nullif(current_setting('sorami.login', true), ''), current_user);
    -- Postgres 16 tells being a member from being allowed to SET ROLE.
    takes text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH service IN ARRAY ARRAY['sorami_reader', 'sorami_gateway', 'sorami_generator', 'sorami_persistence',
                                   'sorami_notifier'] LOOP
        IF to_regrole(service) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', service);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made meanwhile for another database of this server
            END;
        END IF;
        IF service <> 'sorami_reader' AND NOT pg_has_role(login, service, takes) THEN
            EXECUTE format('GRANT %I TO %I', service, login);
        END IF;
    END LOOP;
    -- The reader is taken by whoever may take the gateway's role, and inherited by nobody: what it may not see, the
    -- gateway must.
    IF NOT pg_has_role('sorami_gateway', 'sorami_reader', takes) THEN
        IF takes = 'SET' THEN
            EXECUTE 'GRANT sorami_reader TO sorami_gateway WITH INHERIT FALSE, SET TRUE';
        ELSE
            ALTER ROLE sorami_gateway NOINHERIT;
            GRANT sorami_reader TO sorami_gateway;
        END IF;
    END IF;
END
$$;

DO $$
DECLARE
    allowed record;
    public_tables CONSTANT text := current_schema();
    services CONSTANT text := 'sorami_gateway, sorami_generator, sorami_persistence, sorami_notifier, sorami_reader';
BEGIN
    IF to_regclass('sorami.schema_migrations') IS NULL THEN
        RETURN; -- `sorami migrate` makes the tables and then grants
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I, sorami TO %s', public_tables, services);
    EXECUTE format('GRANT USAGE ON TYPE "ImageJobStatus" TO %s', services);
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA sorami FROM %s', services);
    EXECUTE format('REVOKE ALL ON users, organizations, organization_memberships, image_generations, image_files,'
                   ' video_generations, video_files, notifications FROM %s', services);
    FOR allowed IN
        SELECT * FROM (VALUES
            (services, 'SELECT', 'sorami.schema_migrations'),

            -- gateway: inserts jobs, generations, people and organisations; it cannot change a job.
            ('sorami_gateway', 'SELECT, INSERT', 'sorami.jobs, image_generations, video_generations'),
            ('sorami_gateway', 'SELECT, INSERT', 'users, organizations, organization_memberships'),
            ('sorami_gateway', 'UPDATE (email, name)', 'users'),
            ('sorami_gateway', 'SELECT, INSERT', 'sorami.orphans, sorami.signin_tickets, sorami.backend_reports'),
            ('sorami_gateway', 'SELECT, INSERT, DELETE', 'sorami.sessions'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.outbox_gateway'),
            ('sorami_gateway', 'SELECT', 'image_files, video_files, notifications'),
            ('sorami_gateway', 'SELECT', 'sorami.files, sorami.job_events, sorami.user_counters'),
            ('sorami_gateway', 'SELECT', 'sorami.tasks, sorami.operations'),
            ('sorami_gateway', 'SELECT, INSERT, DELETE', 'sorami.deletions'),
            -- gateway, identity: a role changes with the token; the audit log is only ever added to.
            ('sorami_gateway', 'UPDATE (role)', 'organization_memberships'),
            ('sorami_gateway', 'SELECT, INSERT, DELETE', 'sorami.signin_states'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE (last_used_at, revoked_at)', 'sorami.api_keys'),
            ('sorami_gateway', 'SELECT, INSERT', 'sorami.audit_log'),
            ('sorami_notifier', 'SELECT, UPDATE (last_used_at)', 'sorami.api_keys'),
            -- gateway, operating: an operator sends on or sets aside, and sees how far the outboxes are.
            ('sorami_gateway', 'SELECT, UPDATE (resolution, resolved_at, resolved_by)',
             'sorami.dead_letters, sorami.orphans'),
            ('sorami_gateway', 'SELECT',
             'sorami.outbox_generator, sorami.outbox_persistence, sorami.outbox_notifier'),
            -- gateway, requests:
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.idempotency_keys, sorami.allowances'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE (cancelled_at)', 'sorami.batches'),
            ('sorami_gateway', 'SELECT, INSERT', 'sorami.cancellations, sorami.job_webhooks'),
            -- gateway, gallery:
            -- gateway, gallery: what people keep and share; search is persistence's, and triggers note for it.
            ('sorami_gateway', 'SELECT', 'sorami.search_documents, sorami.search_pending, sorami.search_words'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.favourites, sorami.albums'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.album_items, sorami.shares'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.share_attempts, sorami.notification_marks'),
            ('sorami_gateway', 'SELECT, INSERT, DELETE', 'sorami.notification_reads'),
            -- gateway, media:
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.uploads, sorami.upload_days'),
            ('sorami_gateway', 'SELECT', 'sorami.gone_media'),

            -- reader: what the gateway shows to a person; the rules below leave of it what is that person's.
            ('sorami_reader', 'SELECT', 'image_generations, video_generations, image_files, video_files, notifications'),
            ('sorami_reader', 'SELECT', 'sorami.jobs, sorami.files, sorami.operations, sorami.batches, sorami.uploads'),
            ('sorami_reader', 'SELECT', 'sorami.favourites, sorami.albums, sorami.album_items, sorami.job_webhooks'),
            ('sorami_reader', 'SELECT', 'sorami.notification_reads, sorami.notification_marks'),
            ('sorami_reader', 'SELECT (id, owner_id, prefix, generation_id, album_id, show_prompt, password_hash, '
                              'created_at, expires_at, revoked_at)', 'sorami.shares'),
            ('sorami_reader', 'SELECT (id, owner_id, prefix, name, scopes, created_at, expires_at, last_used_at, '
                              'revoked_at)', 'sorami.api_keys'),
            -- These two say only that something is hidden or called off: whoever does not see them shows too much.
            ('sorami_reader', 'SELECT', 'sorami.deletions, sorami.cancellations'),

            -- generator: its own tasks; it cannot touch a job or a generation.
            ('sorami_generator', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.tasks, sorami.operations'),
            ('sorami_generator', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.outbox_generator'),
            ('sorami_generator', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.worker_reports, sorami.janitor_marks'),
            ('sorami_generator', 'SELECT', 'sorami.jobs, sorami.files, users'),
            ('sorami_generator', 'SELECT ("s3Key", "generationId")', 'image_files, video_files'),
            -- generator, routes: how providers fare, and what a policy refused.
            ('sorami_generator', 'SELECT, INSERT, UPDATE', 'sorami.provider_health'),
            ('sorami_generator', 'INSERT', 'sorami.audit_log'),
            ('sorami_gateway', 'SELECT', 'sorami.provider_health'),
            -- generator, whose turn it is; pauses are the operators', by the gateway.
            ('sorami_generator', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.lines, sorami.turns, sorami.workers'),
            ('sorami_gateway', 'SELECT', 'sorami.lines, sorami.turns, sorami.workers'),
            ('sorami_gateway', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.pauses'),
            ('sorami_generator', 'SELECT', 'sorami.pauses'),

            -- persistence: every later change of a job and its generation; it inserts neither.
            ('sorami_persistence', 'SELECT, UPDATE', 'sorami.jobs, image_generations, video_generations'),
            ('sorami_persistence', 'SELECT, INSERT, UPDATE, DELETE', 'image_files, video_files, notifications'),
            ('sorami_persistence', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.files, sorami.job_events'),
            ('sorami_persistence', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.user_counters, sorami.outbox_persistence'),
            ('sorami_persistence', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.dead_letters'),
            ('sorami_persistence', 'SELECT', 'users, sorami.tasks, sorami.operations'),
            ('sorami_persistence', 'SELECT, DELETE', 'sorami.backend_reports, sorami.worker_reports'),
            ('sorami_persistence', 'SELECT, UPDATE', 'sorami.deletions'),
            ('sorami_persistence', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.search_documents, sorami.search_words'),
            ('sorami_persistence', 'SELECT, UPDATE, DELETE', 'sorami.search_pending'),
            ('sorami_persistence', 'SELECT, DELETE', 'sorami.favourites, sorami.album_items, sorami.shares'),
            ('sorami_persistence', 'SELECT, DELETE', 'sorami.notification_reads'),
            ('sorami_persistence', 'SELECT, UPDATE, DELETE', 'sorami.cancellations'),
            -- persistence, at the end of a deletion's window: nothing of the generation stays but its tombstone.
            ('sorami_persistence', 'DELETE', 'sorami.jobs, image_generations, video_generations'),
            ('sorami_persistence', 'SELECT, INSERT', 'sorami.gone_media'),
            ('sorami_persistence', 'DELETE', 'sorami.orphans, sorami.deliveries, sorami.outbox_gateway'),
            ('sorami_persistence', 'SELECT, DELETE', 'sorami.job_webhooks'),
            ('sorami_persistence', 'SELECT (job_id)', 'sorami.orphans, sorami.deliveries'),
            ('sorami_persistence', 'SELECT (id, resolved_at)', 'sorami.orphans'),
            ('sorami_persistence', 'SELECT (key)', 'sorami.outbox_gateway'),
            ('sorami_notifier, sorami_generator', 'SELECT', 'sorami.deletions'),
            ('sorami_generator', 'SELECT', 'sorami.uploads, sorami.cancellations'),

            -- notifier: its endpoints and deliveries; everything else it only reads.
            ('sorami_notifier', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.deliveries, sorami.delivery_attempts'),
            ('sorami_notifier', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.outbox_notifier'),
            ('sorami_notifier', 'SELECT, INSERT, UPDATE, DELETE', 'sorami.webhook_endpoints, sorami.webhook_secrets'),
            ('sorami_notifier', 'SELECT, INSERT, DELETE', 'sorami.stream_tickets'),
            ('sorami_notifier', 'SELECT', 'sorami.jobs, image_generations, video_generations'),
            ('sorami_notifier', 'SELECT', 'sorami.files, image_files, video_files'),
            ('sorami_notifier', 'SELECT', 'sorami.job_events, sorami.user_counters, sorami.sessions'),
            ('sorami_notifier', 'SELECT', 'sorami.job_webhooks, sorami.batches'),
            ('sorami_notifier', 'SELECT', 'users, organizations, organization_memberships'),

            -- A dead letter that stands already is not an error: ON CONFLICT reads the key it names.
            ('sorami_gateway, sorami_generator, sorami_notifier', 'INSERT', 'sorami.dead_letters'),
            ('sorami_generator, sorami_notifier', 'SELECT (topic, partition, "offset", consumer)',
             'sorami.dead_letters')
        ) AS matrix (roles, privileges, tables)
    LOOP
        EXECUTE format('GRANT %s ON %s TO %s', allowed.privileges, allowed.tables, allowed.roles);
    END LOOP;
END
$$;

-- Whose a row is, for the reader: what of these tables it sees is `sorami.viewer`'s, set for one transaction; nobody's
-- is nothing. The rules stand beside one that lets everything pass, for every other role.
DO $$
DECLARE
    owned record;
BEGIN
    IF to_regclass('sorami.jobs') IS NULL THEN
        RETURN;
    END IF;
    FOR owned IN
        SELECT name, format(rule, replace(name, '_files', '_generations')) AS rule
        FROM (VALUES
            -- Written so that no index knows it: statements ask for their owner themselves, and their plans stay theirs.
            ('image_generations, video_generations',
             $r$coalesce("authorId" = current_setting('sorami.viewer', true), false)$r$),
            ('notifications', $r$coalesce("userId" = current_setting('sorami.viewer', true), false)$r$),
            ('sorami.jobs, sorami.operations, sorami.batches, sorami.uploads, sorami.favourites, sorami.albums, '
             'sorami.shares, sorami.api_keys',
             $r$coalesce(owner_id = current_setting('sorami.viewer', true), false)$r$),
            ('sorami.notification_reads, sorami.notification_marks',
             $r$coalesce(user_id = current_setting('sorami.viewer', true), false)$r$),
            -- What lies inside of something is seen with it. OFFSET 0 keeps it one look-up a row.
            ('image_files, video_files', $r$EXISTS (SELECT FROM %s g WHERE g.id = "generationId" OFFSET 0)$r$),
            ('sorami.files', $r$EXISTS (SELECT FROM sorami.jobs j WHERE j.id = job_id OFFSET 0)$r$),
            ('sorami.job_webhooks', $r$EXISTS (SELECT FROM sorami.jobs j WHERE j.id = job_id OFFSET 0)$r$),
            ('sorami.album_items', $r$EXISTS (SELECT FROM sorami.albums a WHERE a.id = album_id OFFSET 0)$r$)
        ) AS rules (tables, rule), regexp_split_to_table(tables, ', ') AS name
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS sorami_own_rows ON %s', owned.name);
        EXECUTE format('CREATE POLICY sorami_own_rows ON %s AS RESTRICTIVE TO sorami_reader USING (%s)',
                       owned.name, owned.rule);
    END LOOP;
END
$$;
