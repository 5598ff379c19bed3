"""A filter that was forgotten leaks nothing: who reads for a person sees that person's rows alone (S9, S10, S11)."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.runtime.database import Pool, open_pool
from services.runtime.own_rows import READER, OwnRows
from tests.integration.test_statements_under_roles import run_as, statements
from tests.support.postgres import Database, PostgresServer, wait_for

ROOT = Path(__file__).parents[2]
PEOPLE = ("ana", "o'brien\\")
# What says only that something is hidden or called off: whoever does not see it shows too much.
OPEN_TO_THE_READER = {"sorami.deletions", "sorami.cancellations"}

# One row of every table for a person: $1 is the person, $2 an id of the row's own.
ROWS = """
INSERT INTO users (id, "clerkId") VALUES ($1, $1);
INSERT INTO image_generations (id, prompt, "authorId") VALUES ($2, 'a secret', $1);
INSERT INTO video_generations (id, prompt, "authorId") VALUES ($2, 'a secret', $1);
INSERT INTO image_files (id, filename, "s3Key", "fileUrl", "generationId") VALUES ($2, 'f', 'k', 'u', $2);
INSERT INTO video_files (id, filename, "s3Key", "fileUrl", "generationId") VALUES ($2, 'f', 'k', 'u', $2);
INSERT INTO notifications (id, "userId", type, title, message) VALUES ($2, $1, 't', 't', 'm');
INSERT INTO sorami.jobs (id, kind, owner_id, request, request_hash) VALUES ($2, 'image', $1, '{}', 'h');
INSERT INTO sorami.files (id, job_id, kind, index, token, filename, content_type, external_url)
    VALUES ($2, $2, 'image', 1, $2, 'f', 'c', 'u');
INSERT INTO sorami.operations (job_id, attempt, provider, owner_id) VALUES ($2, 1, 'p', $1);
INSERT INTO sorami.batches (id, owner_id, total) VALUES ($2, $1, 1);
INSERT INTO sorami.uploads (id, owner_id, sha256, storage_key, content_type, size_bytes, expires_at)
    VALUES ($2, $1, 's', 'k', 'c', 1, now());
INSERT INTO sorami.favourites (owner_id, generation_id, kind, made_at) VALUES ($1, $2, 'image', now());
INSERT INTO sorami.albums (id, owner_id, name) VALUES ($2, $1, 'n');
INSERT INTO sorami.album_items (album_id, generation_id, kind, made_at) VALUES ($2, $2, 'image', now());
INSERT INTO sorami.shares (id, owner_id, token_hash, prefix, generation_id) VALUES ($2, $1, $2, 'p', $2);
INSERT INTO sorami.api_keys (id, owner_id, name, prefix, token_hash, scopes) VALUES ($2, $1, 'n', 'p', $2, '{}');
INSERT INTO sorami.job_webhooks (job_id, url) VALUES ($2, 'u');
INSERT INTO sorami.notification_reads (notification_id, user_id) VALUES ($2, $1);
INSERT INTO sorami.notification_marks (user_id, read_until) VALUES ($1, now());
"""
_SETTING = re.compile(r"\s*SET (?!LOCAL|TRANSACTION)[A-Z_.]+\b|.*set_config\(")
READABLE = """
    SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AS guarded
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'p') AND n.nspname IN ('public', 'sorami') AND c.relname <> 'schema_migrations'
      AND has_any_column_privilege('sorami_reader', c.oid, 'SELECT')
"""


@pytest.fixture(scope="module")
def database(postgres: PostgresServer, migrated_name: str) -> Iterator[Database]:
    """A database in which two people have a row in every table."""
    with postgres.lent(migrated_name) as database:
        for number, person in enumerate(PEOPLE):
            name = "E'" + person.replace("\\", "\\\\").replace("'", "''") + "'"
            database.execute(ROWS.replace("$1", name).replace("$2", f"'id{number}'"))
        yield database


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """The gateway's connections, of which there is one."""
    pool = await open_pool(database.url, role="sorami_gateway", application="test", size=1)
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
def tables(database: Database) -> list[str]:
    return [name for name, guarded in database.rows(READABLE) if guarded]


PERSONS = ("attempts", "batches", "deletions", "downloads", "gallery", "generations", "jobs", "keys", "library",
           "notifications", "uploads")  # fmt: skip
# Whoever has a link is nobody: the gateway itself looks for it.
NOBODYS = {"queries.library.OPEN_SHARE"}


def test_S9_every_read_for_a_person_is_allowed_to_the_reader(migrated_once: Database) -> None:
    read = {
        name: text
        for name, text in statements("gateway").items()
        if name.startswith(tuple(f"queries.{subject}." for subject in PERSONS)) and name not in NOBODYS
    }
    assert len(read) > 40
    for text in read.values():
        wait_for(run_as(migrated_once, "reader", text))


def test_S9_whatever_the_reader_may_read_is_guarded(database: Database) -> None:
    assert {name for name, guarded in database.rows(READABLE) if not guarded} == OPEN_TO_THE_READER


async def test_S9_without_a_filter_each_person_sees_their_own_and_nobody_sees_nothing(
    pool: Pool, tables: list[str]
) -> None:
    assert len(tables) == ROWS.count("INSERT") - 1, "every guarded table has a row to look for, users aside"
    for table in tables:
        for person in PEOPLE:
            assert await OwnRows(pool, person).fetchval(f"SELECT count(*) FROM {table}") == 1, (table, person)
        assert await OwnRows(pool, "nobody").fetchval(f"SELECT count(*) FROM {table}") == 0, table
        assert await OwnRows(pool, "").fetchval(f"SELECT count(*) FROM {table}") == 0, table


def test_S9_the_reader_without_a_viewer_sees_nothing_and_changes_nothing(database: Database, tables: list[str]) -> None:
    for table in tables:
        assert database.value(f"SELECT count(*) FROM {table}", role=READER) == 0, table
        for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert not database.value("SELECT has_table_privilege($1, $2, $3)", READER, table, privilege), table


@pytest.mark.parametrize("service", ["gateway", "persistence", "notifier"])
def test_S9_services_and_an_applications_login_see_all_as_before(
    database: Database, tables: list[str], service: str
) -> None:
    database.execute(
        "DO $$ BEGIN CREATE ROLE app_reports; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT SELECT ON image_generations TO app_reports"
    )
    assert database.value("SELECT count(*) FROM image_generations", role="app_reports") == 2
    role = f"sorami_{service}"
    for table in tables:
        if database.value("SELECT has_table_privilege($1, $2, 'SELECT')", role, table):
            assert database.value(f"SELECT count(*) FROM {table}", role=role) == 2, (service, table)


def test_S9_secrets_of_keys_and_shares_are_not_the_readers(database: Database) -> None:
    for column in ("sorami.api_keys.token_hash", "sorami.shares.token_hash"):
        table, _, name = column.rpartition(".")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            database.execute(f"SELECT {name} FROM {table}", role=READER)


async def test_S10_who_is_looking_is_forgotten_with_the_transaction(pool: Pool) -> None:
    mine = "SELECT current_user::text, current_setting('sorami.viewer', true)"
    for person in PEOPLE:
        assert tuple(await OwnRows(pool, person).fetchrow(mine)) == (READER, person)
        assert tuple(await pool.fetchrow(mine) or ()) == ("sorami_gateway", "")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await OwnRows(pool, "ana").fetch("SELECT 1 / 0")
    assert tuple(await pool.fetchrow(mine) or ()) == ("sorami_gateway", "")
    assert await OwnRows(pool, "ana").fetchval("SHOW transaction_read_only") == "on"


def test_S10_nothing_but_the_role_of_a_new_connection_is_set_for_a_session() -> None:
    found = {}
    for file in (ROOT / "services").rglob("*.py"):
        texts = [node.value for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Constant)]
        said = [text for text in texts if isinstance(text, str) and _SETTING.match(text)]
        if said and "migrat" not in str(file):
            found[file.name] = said
    assert found == {"database.py": ['SET ROLE "']}


def test_S11_no_view_shows_more_than_its_reader_may_see(database: Database) -> None:
    views = database.rows("""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('v', 'm') AND n.nspname IN ('public', 'sorami')
          AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)""")
    assert views == []
