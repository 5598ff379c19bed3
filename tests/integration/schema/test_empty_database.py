"""`sorami migrate` on a database without a table."""

import time
from concurrent.futures import ThreadPoolExecutor
from subprocess import run
from sys import executable

import asyncpg
import pytest

from services.runtime.schema_version import HIGHEST_SCHEMA, SchemaMismatch, check_schema
from tests.support.postgres import Database, PostgresServer, wait_for

TABLES = (
    "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'sorami', 'app') ORDER BY 1"
)
CATALOGUE = """
SELECT 'table', c.oid::text, c.xmin::text FROM pg_class c WHERE c.relnamespace >= 2200 OR c.relname LIKE 'sorami%'
UNION ALL SELECT 'type', t.oid::text, t.xmin::text FROM pg_type t WHERE t.typnamespace >= 2200
UNION ALL SELECT 'schema', n.oid::text, n.xmin::text FROM pg_namespace n
UNION ALL SELECT 'proc', p.oid::text, p.xmin::text FROM pg_proc p WHERE p.pronamespace >= 2200
ORDER BY 1, 2
"""


def test_every_table_stands_after_the_first_run(empty: Database) -> None:
    outcome = empty.migrate()

    assert outcome.code == 0, outcome.text
    assert empty.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 8
    assert empty.value("SELECT count(*) FROM sorami.schema_migrations") == HIGHEST_SCHEMA + 2  # and roles, search
    assert empty.value('SELECT enum_range(NULL::"ImageJobStatus")::text') == "{PENDING,GENERATING,COMPLETED,FAILED}"


def test_a_second_run_changes_nothing_and_says_so(migrated: Database) -> None:
    before = migrated.rows(CATALOGUE)

    outcome = migrated.migrate()

    assert outcome.code == 0
    assert "nothing to do" in outcome.text
    assert migrated.rows(CATALOGUE) == before


def test_a_run_with_nothing_to_do_takes_less_than_a_tenth_of_a_second(migrated: Database) -> None:
    took = []
    for _ in range(3):
        started = time.monotonic()
        assert migrated.migrate().code == 0
        took.append(time.monotonic() - started)

    assert min(took) < 0.1


def test_a_dry_run_says_what_it_would_do_and_does_nothing(empty: Database) -> None:
    before = empty.rows(CATALOGUE)

    outcome = empty.migrate("--dry-run")

    assert outcome.code == 0, outcome.text
    assert "would apply 0001_pre_status_enum.sql" in outcome.text
    assert "would create table image_generations" in outcome.text
    assert empty.rows(CATALOGUE) == before


def test_prismas_tables_go_into_the_schema_of_the_address(empty: Database) -> None:
    there = Database(empty.url + "?schema=app&connection_limit=5")

    outcome = there.migrate()

    assert outcome.code == 0, outcome.text
    names = [name for (name,) in there.rows(TABLES)]
    assert "app.image_generations" in names
    assert "sorami.jobs" in names
    assert not [name for name in names if name.startswith("public.")]
    assert there.value("SELECT has_schema_privilege('sorami_gateway', 'app', 'USAGE')")
    assert there.value("SELECT has_table_privilege('sorami_gateway', 'app.image_generations', 'INSERT')")


def test_a_second_schema_in_the_same_database_is_refused(migrated: Database) -> None:
    elsewhere = Database(migrated.url + "?schema=staging")
    migrated.execute("DELETE FROM sorami.schema_migrations WHERE name = 'roles.sql'")

    outcome = elsewhere.migrate()

    assert outcome.code == 1
    assert 'already serves the tables of schema "public", DATABASE_URL names "staging"' in outcome.text
    assert migrated.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'staging'") == 0


def test_two_at_once_apply_each_file_once(empty: Database) -> None:

    def migrate(_: int) -> int:
        command = [executable, "-m", "services.persistence.migrate"]
        return run(command, env={"DATABASE_URL": empty.url}, check=False, capture_output=True).returncode

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(migrate, range(3))) == [0, 0, 0]
    assert empty.value("SELECT count(*) FROM sorami.schema_migrations") == HIGHEST_SCHEMA + 2


def test_new_rows_carry_utc_whatever_the_sessions_time_zone(migrated: Database) -> None:
    migrated.settings["timezone"] = "Pacific/Auckland"

    migrated.execute("INSERT INTO users (id, \"clerkId\") VALUES ('u1', 'user_1')")

    assert migrated.value("SELECT abs(extract(epoch FROM \"createdAt\" - (now() AT TIME ZONE 'UTC'))) < 60 FROM users")


def test_a_migration_that_was_changed_afterwards_is_an_error(migrated: Database) -> None:
    migrated.execute("UPDATE sorami.schema_migrations SET checksum = 'other' WHERE name LIKE '0002%'")

    outcome = migrated.migrate()

    assert outcome.code == 1
    assert outcome.text == (
        "sorami migrate: 0002_pre_prisma_tables.sql was changed after it was applied here:"
        " put the file back, and write a new migration\n"
    )


def test_a_newer_database_is_left_alone(migrated: Database) -> None:
    migrated.execute("INSERT INTO sorami.schema_migrations (name, checksum) VALUES ('0999_pre_later.sql', 'x')")

    outcome = migrated.migrate()

    assert outcome.code == 0
    assert "the database is newer than this build (it has 0999_pre_later.sql): nothing was changed" in outcome.text


def test_a_database_that_is_not_there_is_named_after_the_wait() -> None:
    outcome = Database("postgresql://postgres@127.0.0.1:9/none").migrate("--wait", "0.3")

    assert outcome.code == 75
    assert "no database answered within 0.3 s" in outcome.text


def test_a_wrong_address_stops_at_once(postgres: PostgresServer) -> None:
    unknown = Database(postgres.url("nobody_made_this")).migrate()
    unreadable = Database("mysql://root@127.0.0.1/db").migrate()

    assert (unknown.code, unreadable.code) == (78, 78)
    assert 'database "nobody_made_this" does not exist' in unknown.text
    assert "DATABASE_URL must look like postgresql://" in unreadable.text


def test_a_service_can_ask_whether_it_may_run(empty: Database, migrated: Database) -> None:

    async def ask(url: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            await check_schema(connection)
        finally:
            await connection.close()

    wait_for(ask(migrated.url))
    with pytest.raises(SchemaMismatch, match=r"database schema is 0, this build needs \d+: run sorami migrate"):
        wait_for(ask(empty.url))
