"""What Kafka forgot, what is overdue, and what may be forgotten."""

from typing import Any

from services.runtime.database import Pool

# forgotten_requests: jobs that nobody took up; noted in updated_at, so that each is sent again once a minute.
RESEND_REQUESTS = """
    UPDATE sorami.jobs j SET updated_at = now()
    WHERE j.id IN (
        SELECT p.id FROM sorami.jobs p
        WHERE p.status = 'PENDING' AND p.updated_at < now() - $1 * interval '1 second'
          AND (p.finish_by IS NULL OR p.finish_by > now())
          AND NOT EXISTS (SELECT FROM sorami.tasks t WHERE t.job_id = p.id)
        ORDER BY p.created_at LIMIT 500 FOR UPDATE SKIP LOCKED)
    RETURNING j.id, j.origin, j.request
"""

# forgotten_reports: endings that a backend told of jobs that are open all the same.
FORGOTTEN_REPORTS = """
    SELECT r.topic, r.event FROM sorami.backend_reports r JOIN sorami.jobs j ON j.id = r.job_id
    WHERE r.received_at < now() - $1 * interval '1 second' AND j.status IN ('PENDING', 'GENERATING')
    ORDER BY r.received_at LIMIT 200
"""

FORGET_REPORTS = """
    DELETE FROM sorami.backend_reports r USING sorami.jobs j
    WHERE j.id = r.job_id AND j.status NOT IN ('PENDING', 'GENERATING')
      AND r.received_at < now() - $1 * interval '1 second'
"""

# resend_cancellations: wishes that did nothing are told again once a minute; those of ended jobs are done with.
RESEND_CANCELLATIONS = """
    UPDATE sorami.cancellations c
    SET sent_at = now(), done_at = CASE WHEN due.open THEN NULL ELSE now() END
    FROM (SELECT w.job_id, w.requested_by, j.kind, j.owner_id, j.organization_id,
                 j.status IN ('PENDING', 'GENERATING') AS open
          FROM sorami.cancellations w JOIN sorami.jobs j ON j.id = w.job_id
          WHERE w.done_at IS NULL AND w.sent_at < now() - $1 * interval '1 second'
          ORDER BY w.sent_at LIMIT 200 FOR UPDATE OF w SKIP LOCKED) AS due
    WHERE c.job_id = due.job_id
    RETURNING due.job_id, due.requested_by, due.kind, due.owner_id, due.organization_id, due.open
"""

OVERDUE_JOBS = """
    SELECT j.id, j.kind, EXISTS (SELECT FROM sorami.tasks t WHERE t.job_id = j.id) AS has_task
    FROM sorami.jobs j
    WHERE j.status IN ('PENDING', 'GENERATING') AND j.finish_by < now() - $1 * interval '1 second'
    ORDER BY j.id LIMIT 200
"""

DUE_EVENTS = """
    SELECT count(*) FROM (SELECT FROM sorami.job_events WHERE at < now() - $1 * interval '1 day' LIMIT 10000) few
"""
FORGET_EVENTS = """
    DELETE FROM sorami.job_events WHERE (job_id, seq) IN (
        SELECT job_id, seq FROM sorami.job_events WHERE at < now() - $1 * interval '1 day' ORDER BY at LIMIT 10000)
"""

# What an operator decided on; whatever waits for a decision stays.
DUE_LETTERS = """
    SELECT count(*) FROM (SELECT FROM sorami.dead_letters
                          WHERE resolved_at < now() - $1 * interval '1 day' LIMIT 10000) few
"""
FORGET_LETTERS = """
    DELETE FROM sorami.dead_letters WHERE (topic, partition, "offset", consumer) IN (
        SELECT topic, partition, "offset", consumer FROM sorami.dead_letters
        WHERE resolved_at < now() - $1 * interval '1 day' LIMIT 1000)
"""
DUE_ORPHANS = """
    SELECT count(*) FROM (SELECT FROM sorami.orphans
                          WHERE resolved_at < now() - $1 * interval '1 day' LIMIT 10000) few
"""
FORGET_ORPHANS = """
    DELETE FROM sorami.orphans WHERE id IN (
        SELECT id FROM sorami.orphans WHERE resolved_at < now() - $1 * interval '1 day' LIMIT 1000)
"""


async def forgotten_requests(pool: Pool, older_than_seconds: float) -> list[Any]:
    """Return jobs that nobody took up, noting that they are sent again."""
    return list(await pool.fetch(RESEND_REQUESTS, older_than_seconds))


async def forgotten_reports(pool: Pool, older_than_seconds: float) -> list[Any]:
    """Return what backends told of open jobs, and forget what they told of ended ones."""
    await pool.execute(FORGET_REPORTS, older_than_seconds)
    return list(await pool.fetch(FORGOTTEN_REPORTS, older_than_seconds))


async def forgotten_cancellations(pool: Pool, older_than_seconds: float) -> list[Any]:
    """Return wishes that open jobs end, noting that they are sent again, and be done with those of ended jobs."""
    return [row for row in await pool.fetch(RESEND_CANCELLATIONS, older_than_seconds) if row["open"]]


async def overdue_jobs(pool: Pool, grace_seconds: float) -> list[Any]:
    """Return open jobs whose deadline passed longer than `grace_seconds` ago."""
    return list(await pool.fetch(OVERDUE_JOBS, grace_seconds))
