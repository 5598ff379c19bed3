"""Read marks: the notifications themselves are persistence's."""

READ_ONE = """
    INSERT INTO sorami.notification_reads (notification_id, user_id)
    SELECT n.id, n."userId" FROM notifications n WHERE n."userId" = $1 AND n.id = ANY($2::text[])
    ON CONFLICT (notification_id) DO NOTHING
"""
# read_all: up to the newest that stands, so that what comes meanwhile stays unread; single marks are then needless.
READ_ALL = """
    WITH newest AS (
        SELECT max(n."createdAt")::timestamptz AS at FROM notifications n WHERE n."userId" = $1
    ), swept AS (
        DELETE FROM sorami.notification_reads WHERE user_id = $1
    )
    INSERT INTO sorami.notification_marks AS m (user_id, read_until) SELECT $1, at FROM newest WHERE at IS NOT NULL
    ON CONFLICT (user_id) DO UPDATE SET read_until = greatest(m.read_until, excluded.read_until)
"""
