"""A status never goes backwards, a terminal one is never left, progress never falls: whoever writes."""

import asyncpg
import pytest

from tests.support.postgres import Database

GENERATIONS = ("image_generations", "video_generations")
TABLES = (*GENERATIONS, "sorami.jobs")
BACKWARDS = [
    ("GENERATING", "PENDING"),
    ("COMPLETED", "PENDING"),
    ("COMPLETED", "GENERATING"),
    ("COMPLETED", "FAILED"),
    ("FAILED", "COMPLETED"),
    ("FAILED", "GENERATING"),
]


def put(database: Database, table: str, status: str, progress: int = 60) -> None:
    if table == "sorami.jobs":
        database.execute(f"""
            INSERT INTO sorami.jobs (id, kind, owner_id, request, request_hash, status, progress)
            VALUES ('j1', 'image', 'u1', '{{}}', 'h', '{status}', {progress})
        """)
        return
    database.execute(f"""
        INSERT INTO users (id, "clerkId") VALUES ('u1', 'user_1') ON CONFLICT DO NOTHING;
        INSERT INTO {table} (id, prompt, "authorId", status, progress) VALUES ('j1', 'x', 'u1', '{status}', {progress})
    """)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("before", "after"), BACKWARDS)
def test_a_backward_move_is_refused_for_a_superuser_too(
    migrated: Database, table: str, before: str, after: str
) -> None:
    put(migrated, table, before)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        migrated.execute(f"UPDATE {table} SET status = '{after}' WHERE id = 'j1'")

    name = table.removeprefix("sorami.")
    assert str(refused.value) == f"{name} j1: status may not go from {before} to {after}"
    assert refused.value.constraint_name == "no_way_back"


@pytest.mark.parametrize("table", TABLES)
def test_progress_that_falls_is_refused_with_its_figures(migrated: Database, table: str) -> None:
    put(migrated, table, "GENERATING", 60)

    with pytest.raises(asyncpg.CheckViolationError, match=r"j1: progress may not fall from 60 to 25"):
        migrated.execute(f"UPDATE {table} SET progress = 25 WHERE id = 'j1'")


@pytest.mark.parametrize("table", TABLES)
def test_a_job_moves_forward_and_may_be_told_again_where_it_is(migrated: Database, table: str) -> None:
    put(migrated, table, "PENDING", 0)

    for status, progress in [("PENDING", 0), ("GENERATING", 25), ("GENERATING", 90), ("COMPLETED", 100)]:
        migrated.execute(f"UPDATE {table} SET status = '{status}', progress = {progress} WHERE id = 'j1'")
    migrated.execute(f"UPDATE {table} SET status = 'COMPLETED', progress = 100, model = 'later' WHERE id = 'j1'")

    assert migrated.rows(f"SELECT status::text, progress, model FROM {table}") == [("COMPLETED", 100, "later")]


def test_a_cancelled_job_stays_cancelled(migrated: Database) -> None:
    put(migrated, "sorami.jobs", "CANCELLED")

    with pytest.raises(asyncpg.CheckViolationError, match="jobs j1: status may not go from CANCELLED to COMPLETED"):
        migrated.execute("UPDATE sorami.jobs SET status = 'COMPLETED'")


def test_a_label_of_the_applications_own_is_a_way_station(migrated: Database) -> None:
    migrated.execute("ALTER TYPE \"ImageJobStatus\" ADD VALUE 'QUEUED'")
    put(migrated, "image_generations", "PENDING")

    for status in ("QUEUED", "GENERATING", "COMPLETED"):
        migrated.execute(f"UPDATE image_generations SET status = '{status}'")

    with pytest.raises(asyncpg.CheckViolationError):
        migrated.execute("UPDATE image_generations SET status = 'QUEUED'")


def test_one_backward_row_refuses_the_whole_statement(migrated: Database) -> None:
    put(migrated, "image_generations", "PENDING")
    migrated.execute("""
        INSERT INTO image_generations (id, prompt, "authorId", status) VALUES ('j2', 'x', 'u1', 'COMPLETED')
    """)

    with pytest.raises(asyncpg.CheckViolationError):
        migrated.execute("UPDATE image_generations SET status = 'FAILED'")

    assert migrated.value("SELECT status::text FROM image_generations WHERE id = 'j1'") == "PENDING"


def test_progress_reports_leave_the_indexes_alone(migrated: Database) -> None:
    for table in ("sorami.jobs", "image_generations"):
        put(migrated, table, "GENERATING", 0)
    migrated.execute("""
        INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, request, state)
        VALUES ('j1', 'image', 'u1', 'procedural', '{}', 'running')
    """)
    for progress in range(1, 11):
        migrated.execute(f"""
            UPDATE sorami.jobs SET progress = {progress}, seq = {progress}, message = 'x', updated_at = now();
            UPDATE image_generations SET progress = {progress};
            UPDATE sorami.tasks SET lease_until = now(), step = 'generating', report_step = {progress},
                                    updated_at = now()
        """)

    counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = $1::text::regclass"
    for table in ("sorami.jobs", "image_generations", "sorami.tasks"):
        assert migrated.rows(counts, table) == [(10, 10)], table
