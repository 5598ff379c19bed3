-- Rows are somebody's: who reads for a person sees that person's alone (roles.sql says which those are). Here the rules are
-- switched on, with one that lets everything pass: for every other role, an application's login too, all stays as it was.
DO $$
DECLARE
    owned regclass;
BEGIN
    FOREACH owned IN ARRAY ARRAY[
        'image_generations', 'video_generations', 'image_files', 'video_files', 'notifications',
        'sorami.jobs', 'sorami.files', 'sorami.operations', 'sorami.batches', 'sorami.uploads', 'sorami.favourites',
        'sorami.albums', 'sorami.album_items', 'sorami.shares', 'sorami.api_keys', 'sorami.job_webhooks',
        'sorami.notification_reads', 'sorami.notification_marks'
    ]::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY sorami_everybody ON %s USING (true)', owned);
    END LOOP;
END
$$;
