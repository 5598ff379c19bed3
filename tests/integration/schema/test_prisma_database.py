"""`sorami migrate` on a database that an application made with Prisma and has used."""

from threading import Thread

import asyncpg
import pytest

from services.persistence.migrations import runner
from tests.support import prisma_made
from tests.support.postgres import Database

ROWS = """
SELECT id, prompt, status::text, progress, "createdAt", "updatedAt", "completedAt", "authorId"
FROM image_generations ORDER BY id
"""
FILES = (
    'SELECT "id", "generationId", "s3Key", "fileUrl", "fileSize", "metadata", "createdAt" FROM image_files ORDER BY id'
)


@pytest.fixture
def used(empty: Database) -> Database:
    """1,000 generations, 300 of them pairs for one picture, 40 surplus files and notifications."""
    prisma_made.make(empty)
    assert empty.value("SELECT count(*) FROM image_generations") == prisma_made.GENERATIONS == 1000
    return empty


def test_rows_made_without_us_stay_as_they_are(used: Database) -> None:
    rows, files = used.rows(ROWS), used.rows(FILES)

    outcome = used.migrate()

    assert outcome.code == 0, outcome.text
    assert used.rows(ROWS) == rows
    assert used.rows(FILES) == files
    assert used.value("SELECT count(*) FROM notifications WHERE metadata->>'source' = 'backend-direct'") == 720


def test_both_rows_of_a_doubled_picture_can_be_read_by_the_services(used: Database) -> None:
    used.migrate()

    found = used.rows(
        "SELECT id, status::text FROM image_generations WHERE prompt = 'Un chat mignon 1' ORDER BY progress",
        role="sorami_gateway",
    )

    assert [status for _, status in found] == ["PENDING", "COMPLETED"]
    assert found[0][0].startswith("cmh3")
    assert found[1][0].count("-") == 4


def test_a_dry_run_names_every_change_and_makes_none(used: Database) -> None:
    before = prisma_made.everything(used)

    outcome = used.migrate("--dry-run")

    assert outcome.code == 0, outcome.text
    assert 'would set default of users."updatedAt" to CURRENT_TIMESTAMP' in outcome.text
    assert 'would add column video_generations."numVideos" INTEGER' in outcome.text
    assert 'image_files holds 40 row(s) more than its unique key ("generationId", "s3Key") allows' in outcome.text
    assert "notifications holds 40 row(s) more" in outcome.text
    assert prisma_made.everything(used) == before
    assert used.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'sorami'") == 0


def test_a_second_run_is_a_no_op(used: Database) -> None:
    assert used.migrate().code == 0
    before = prisma_made.everything(used)

    outcome = used.migrate()

    assert outcome.code == 0
    assert "nothing to do" in outcome.text
    assert prisma_made.everything(used) == before


def test_the_services_insert_although_updated_at_has_no_default_in_prismas_table(used: Database) -> None:
    used.migrate()

    used.execute(
        "INSERT INTO users (id, \"clerkId\", email) VALUES ('u1', 'user_new', 'n@example.org')", role="sorami_gateway"
    )
    used.execute(
        "INSERT INTO image_generations (id, prompt, \"authorId\") VALUES ('g1', 'Un chat', 'u1')", role="sorami_gateway"
    )

    assert used.value("SELECT \"updatedAt\" IS NOT NULL AND status = 'PENDING' FROM image_generations WHERE id = 'g1'")


def test_an_application_that_knows_nothing_of_us_goes_on_writing(used: Database) -> None:
    used.migrate()
    author = used.value("SELECT id FROM users ORDER BY id LIMIT 1")

    used.execute(
        'INSERT INTO video_generations (id, prompt, "authorId", "updatedAt") VALUES ($1, $2, $3, now()::timestamp)',
        "cmhnew",
        "Une mer",
        author,
    )

    assert used.rows(
        'SELECT "numVideos", size, format, "durationSeconds", fps FROM video_generations WHERE id = $1', "cmhnew"
    ) == [(1, "1280x720", "MP4", 4.0, 24)]


@pytest.mark.parametrize(("doubles", "times"), [(20, 2), (150, 2)], ids=["left out by id", "left out by age"])
def test_a_unique_key_holds_for_new_rows_where_doubles_stand(empty: Database, doubles: int, times: int) -> None:
    prisma_made.make(empty, doubles=doubles, times=times)
    assert empty.migrate().code == 0
    insert = """
        INSERT INTO image_files (id, "generationId", filename, "s3Key", "fileUrl", "fileSize", format, width, height,
                                 "aspectRatio")
        SELECT $1, id, 'x', 'images/new', 'x', 1, 'PNG', 1, 1, '1x1' FROM image_generations ORDER BY id LIMIT 1
        ON CONFLICT DO NOTHING
    """

    added = [empty.execute(insert, name, role="sorami_persistence") for name in ("new1", "new2")]

    assert added == ["INSERT 0 1", "INSERT 0 0"]


def test_a_new_double_of_an_old_row_is_refused_too(used: Database) -> None:
    used.migrate()

    again = used.execute("""
        INSERT INTO image_files SELECT 'again', "generationId", filename, "s3Key", "fileUrl", "fileSize", format, width,
               height, "aspectRatio", metadata FROM image_files WHERE id LIKE 'cmh5%' ORDER BY id LIMIT 1
        ON CONFLICT DO NOTHING
    """)

    assert again == "INSERT 0 0"


def test_the_printed_sql_cleans_up_and_makes_the_keys_whole(used: Database) -> None:
    outcome = used.migrate()
    clean_up = [line for line in outcome.text.splitlines() if line.startswith("    ")]

    used.execute("\n".join(clean_up))

    assert used.value("SELECT count(*) FROM image_files") == 680
    assert used.value("SELECT count(*) FROM notifications WHERE type = 'IMAGE_COMPLETED'") == 680
    assert used.value("SELECT count(*) FROM image_files WHERE id LIKE 'double%'") == 0
    partial = (
        "SELECT count(*) FROM pg_index WHERE indisunique AND indpred IS NOT NULL AND indrelid = 'image_files'::regclass"
    )
    assert used.value(partial) == 0


def test_foreign_keys_that_were_left_to_prismas_client_hold_for_new_rows(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute("""
        ALTER TABLE image_files DROP CONSTRAINT "image_files_generationId_fkey";
        UPDATE image_files SET "generationId" = 'gone' WHERE id = (SELECT min(id) FROM image_files)
    """)

    outcome = empty.migrate()

    assert outcome.code == 0, outcome.text
    assert empty.value("SELECT count(*) FROM image_files WHERE \"generationId\" = 'gone'") == 1
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        empty.execute("UPDATE image_files SET \"generationId\" = 'gone too' WHERE id LIKE 'cmh5f%'")


def test_rows_with_another_idea_of_progress_stay_writable(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute("UPDATE image_generations SET progress = 150 WHERE status = 'GENERATING'")

    assert empty.migrate().code == 0

    empty.execute("UPDATE image_generations SET model = 'x' WHERE status = 'GENERATING'")


def test_defaults_an_application_left_out_are_set(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute("ALTER TABLE image_generations ALTER progress DROP DEFAULT, ALTER status DROP DEFAULT")

    dry, outcome = empty.migrate("--dry-run"), empty.migrate()

    assert "would set default of image_generations.progress to 0" in dry.text
    assert outcome.code == 0, outcome.text
    assert "'PENDING'" in empty.value("""
        SELECT pg_get_expr(adbin, adrelid)
        FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE adrelid = 'image_generations'::regclass AND attname = 'status'
    """)


def test_a_unique_key_under_another_name_is_not_built_twice(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute('ALTER INDEX "users_clerkId_key" RENAME TO clerk')

    assert empty.migrate().code == 0

    assert empty.value("SELECT to_regclass('\"users_clerkId_key\"')") is None


def test_open_generations_of_before_are_reported(used: Database) -> None:
    outcome = used.migrate()

    assert "image_generations holds 310 row(s) that never ended; they are shown as they are" in outcome.text


def test_columns_that_are_optional_here_and_required_there_are_reported(used: Database) -> None:
    outcome = used.migrate("--dry-run")

    line = 'note: image_files requires "fileSize", format, width, height, "aspectRatio" here: a row for which nobody'
    assert line in outcome.text
    assert "note: users requires email here" in outcome.text


def test_a_database_in_another_schema_than_public_is_adopted(empty: Database) -> None:
    prisma_made.make(empty, schema="app")
    there = Database(empty.url + "?schema=app")

    outcome = there.migrate()

    assert outcome.code == 0, outcome.text
    assert there.value('SELECT count(*) FROM app.image_generations WHERE "completedAt" IS NOT NULL') == 680
    assert there.value("SELECT to_regclass('public.image_generations')") is None
    assert there.value("SELECT has_table_privilege('sorami_persistence', 'app.image_files', 'INSERT')")


def test_labels_an_application_added_stay_and_missing_ones_are_added(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute("ALTER TYPE \"ImageJobStatus\" RENAME VALUE 'FAILED' TO 'CANCELLED'")

    dry = empty.migrate("--dry-run")
    outcome = empty.migrate()

    assert 'would add label FAILED to "ImageJobStatus"' in dry.text
    assert '"ImageJobStatus" also has CANCELLED: kept' in dry.text
    assert outcome.code == 0, outcome.text
    labels = empty.value('SELECT enum_range(NULL::"ImageJobStatus")::text')
    assert labels == "{PENDING,GENERATING,COMPLETED,CANCELLED,FAILED}"


def test_other_but_compatible_types_are_kept(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute("""
        ALTER TABLE image_generations ALTER COLUMN size TYPE varchar(20), ALTER COLUMN progress TYPE bigint;
        ALTER TABLE image_files ALTER COLUMN metadata TYPE json;
        ALTER TABLE notifications ALTER COLUMN "createdAt" TYPE timestamptz USING "createdAt" AT TIME ZONE 'UTC';
    """)

    outcome = empty.migrate()

    assert outcome.code == 0, outcome.text
    assert "note: image_generations.size is character varying(20): a longer value is refused" in outcome.text
    assert empty.value("SELECT pg_typeof(progress)::text FROM image_generations LIMIT 1") == "bigint"


REFUSED = {
    "status as text": (
        "ALTER TABLE image_generations ALTER COLUMN status DROP DEFAULT, ALTER COLUMN status TYPE text",
        'image_generations.status is text, Sorami needs "ImageJobStatus": change it or rename it',
    ),
    "numeric width": (
        "ALTER TABLE image_files ALTER COLUMN width TYPE numeric(10, 2)",
        "image_files.width is numeric(10,2), Sorami needs INTEGER: change it or rename it",
    ),
    "required and unknown column": (
        "ALTER TABLE users ADD COLUMN \"lastName\" text NOT NULL DEFAULT 'x', ALTER COLUMN id DROP DEFAULT;"
        'ALTER TABLE users ALTER COLUMN "lastName" DROP DEFAULT',
        'users."lastName" is required, has no default and is unknown to Sorami',
    ),
    "no generation": (
        'ALTER TABLE video_files DROP COLUMN "generationId"',
        'video_files lacks "generationId" (TEXT), which only you can fill',
    ),
    "no primary key": (
        "ALTER TABLE image_files DROP CONSTRAINT image_files_pkey",
        "image_files has no primary key on id alone: ALTER TABLE image_files ADD PRIMARY KEY (id)",
    ),
    "one person twice": (
        'DROP INDEX "users_clerkId_key"; UPDATE users SET "clerkId" = \'user_1\' WHERE "clerkId" = \'user_2\'',
        'users holds 1 row(s) more than its unique key ("clerkId") allows: merge them first',
    ),
    "row level security": (
        "ALTER TABLE notifications ENABLE ROW LEVEL SECURITY",
        "notifications has row level security, which would hide its rows from the services",
    ),
    "a view": (
        "ALTER TABLE notifications RENAME TO n; CREATE VIEW notifications AS SELECT * FROM n",
        "notifications is not an ordinary table",
    ),
}


@pytest.mark.parametrize(("change", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_adopted_is_named_and_nothing_is_changed(empty: Database, change: str, line: str) -> None:
    prisma_made.make(empty)
    empty.execute(change)
    before = prisma_made.everything(empty)

    dry, outcome = empty.migrate("--dry-run"), empty.migrate()

    assert (dry.code, outcome.code) == (1, 1)
    assert line in dry.text
    assert outcome.text.startswith(f"sorami migrate: {line}")
    assert len(outcome.text.splitlines()) == 1
    assert prisma_made.everything(empty) == before
    assert empty.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'sorami'") == 0


def test_all_that_cannot_be_adopted_is_named_at_once(empty: Database) -> None:
    prisma_made.make(empty)
    empty.execute("ALTER TABLE image_files ALTER COLUMN width TYPE numeric, ALTER COLUMN height TYPE numeric")

    outcome = empty.migrate()

    assert outcome.code == 1
    assert len(outcome.text.splitlines()) == 2


def test_a_table_in_use_makes_the_migration_wait_not_fail(used: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "50ms")
    reader = Thread(target=used.execute, args=("SELECT count(*), pg_sleep(0.6) FROM image_files",))
    reader.start()
    while not used.value(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.6)%' AND pid <> pg_backend_pid()"
    ):
        pass

    outcome = used.migrate()
    reader.join()

    assert outcome.code == 0, outcome.text
    assert "0002_pre_prisma_tables.sql: a table is in use, trying again" in outcome.text
