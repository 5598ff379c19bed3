"""Each service's role may do what the writers' table says, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from contracts import tables
from services.persistence.migrations.files import ROLES
from tests.support import prisma_made
from tests.support.postgres import Database, PostgresServer, running_postgres

PERSON = "INSERT INTO users (id, \"clerkId\") VALUES ('u1', 'user_1')"
GENERATION = "INSERT INTO image_generations (id, prompt, \"authorId\") VALUES ('j1', 'x', 'u1')"
VIDEO = "INSERT INTO video_generations (id, prompt, \"authorId\") VALUES ('j1', 'x', 'u1')"
JOB = "INSERT INTO sorami.jobs (id, kind, owner_id, request, request_hash) VALUES ('j1', 'image', 'u1', '{}', 'h')"
TASK = "INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, request) VALUES ('j1', 'image', 'u1', 'p', '{}')"
OPERATION = "INSERT INTO sorami.operations (job_id, attempt, provider, owner_id) VALUES ('j1', 1, 'p', 'u1')"
FILE = """INSERT INTO sorami.files (id, job_id, kind, index, token, storage_key, filename, content_type)
          VALUES ('f1', 'j1', 'image', 1, 't', 'images/j1/image_1.png', 'image_1.png', 'image/png')"""
IMAGE_FILE = """INSERT INTO image_files (id, "generationId", filename, "s3Key", "fileUrl")
                VALUES ('f1', 'j1', 'image_1.png', 'images/j1/image_1.png', '/media/t/image_1.png')"""
NOTE = "INSERT INTO notifications (id, \"userId\", type, title, message) VALUES ('n1', 'u1', 't', 't', 'm')"
EVENT = "INSERT INTO sorami.job_events (job_id, seq, user_id, n, type, data) VALUES ('j1', 1, 'u1', 1, 't', '{}')"
COUNT = (
    "INSERT INTO sorami.user_counters AS c VALUES ('u1', 1) ON CONFLICT (user_id) DO UPDATE SET n = c.n + 1 RETURNING n"
)
DELIVERY = """INSERT INTO sorami.deliveries (id, endpoint, event_id, job_id, seq, type, payload)
              VALUES ('d1', 'e', 'ev', 'j1', 1, 't', '{}')"""
ATTEMPT = "INSERT INTO sorami.delivery_attempts (delivery_id, attempt) VALUES ('d1', 1)"
DEAD = """INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, reason) VALUES ('t', 0, 1, 'c', 'r')
          ON CONFLICT (topic, partition, "offset", consumer) DO NOTHING"""
SESSION = "INSERT INTO sorami.sessions (token_hash, user_id, expires_at) VALUES ('h', 'u1', now())"
TICKET = "INSERT INTO sorami.signin_tickets (jti) VALUES ('j') ON CONFLICT (jti) DO NOTHING RETURNING jti"
KEY = """INSERT INTO sorami.api_keys (id, owner_id, name, prefix, token_hash, scopes)
         VALUES ('k', 'u1', 'n', 'p', 'h', '{}')"""
AUDIT = "INSERT INTO sorami.audit_log (actor, action) VALUES ('u1', 'a')"
ORPHAN = "INSERT INTO sorami.orphans VALUES ('o', 'image', 'j', 'completed', '{}', 'r')"


def outbox(service: str) -> str:
    return f"INSERT INTO sorami.outbox_{service} (topic, key, value) VALUES ('t', 'k', 'v') RETURNING id"


ALLOWED = {
    "gateway": [PERSON, GENERATION, VIDEO, JOB, SESSION, TICKET, ORPHAN, outbox("gateway"), KEY, AUDIT,
                "UPDATE sorami.api_keys SET revoked_at = now()", "UPDATE organization_memberships SET role = 'r'",
                "UPDATE users SET email = 'e', name = 'n'", "DELETE FROM sorami.sessions",
                "DELETE FROM sorami.outbox_gateway"],
    "generator": [TASK, OPERATION, outbox("generator"), DEAD, "UPDATE sorami.tasks SET fence = fence + 1",
                  "SELECT * FROM sorami.tasks FOR UPDATE SKIP LOCKED", "DELETE FROM sorami.tasks"],
    "persistence": [FILE, IMAGE_FILE, NOTE, EVENT, COUNT, DEAD, outbox("persistence"),
                    "SELECT * FROM sorami.jobs FOR UPDATE", "UPDATE sorami.jobs SET status = 'GENERATING'",
                    "UPDATE image_generations SET status = 'GENERATING'", "UPDATE video_generations SET progress = 5",
                    "DELETE FROM sorami.job_events"],
    "notifier": [DELIVERY, ATTEMPT, DEAD, outbox("notifier"), "UPDATE sorami.deliveries SET state = 'delivered'",
                 "UPDATE sorami.api_keys SET last_used_at = now()",
                 "DELETE FROM sorami.deliveries"],
}  # fmt: skip

FORBIDDEN = {
    "gateway": ["UPDATE image_generations SET progress = 1", "UPDATE video_generations SET progress = 1",
                "UPDATE sorami.jobs SET progress = 1", "DELETE FROM image_generations",
                "SELECT 1 FROM sorami.jobs FOR UPDATE",
                "UPDATE users SET \"clerkId\" = 'x'", IMAGE_FILE, FILE, NOTE, EVENT, TASK, DELIVERY,
                outbox("persistence"), "SELECT * FROM sorami.deliveries", "UPDATE sorami.api_keys SET scopes = '{}'",
                "UPDATE sorami.audit_log SET actor = 'x'", "DELETE FROM sorami.audit_log"],
    "generator": ["SELECT 1 FROM image_generations", "UPDATE image_generations SET progress = 1", GENERATION, JOB,
                  "UPDATE sorami.jobs SET progress = 1", FILE, outbox("gateway"),
                  "SELECT reason FROM sorami.dead_letters"],
    "persistence": [JOB, GENERATION, VIDEO, PERSON, "DELETE FROM sorami.tasks", TASK,
                    "UPDATE sorami.tasks SET fence = 1",
                    DELIVERY, outbox("notifier"), SESSION],
    "notifier": ["UPDATE sorami.jobs SET progress = 1", "UPDATE image_generations SET progress = 1", NOTE, FILE, EVENT,
                 SESSION, KEY, AUDIT, "UPDATE sorami.api_keys SET revoked_at = now()",
                 "DELETE FROM sorami.sessions", outbox("gateway"), "SELECT * FROM sorami.tasks"],
}  # fmt: skip
EVERY_ROLE = [
    "INSERT INTO sorami.schema_migrations VALUES ('x', 'x')",
    "CREATE TABLE sorami.mine (id int)",
    "TRUNCATE users",
]


@pytest.fixture
def untouched() -> Iterator[PostgresServer]:
    """A server of its own, on which the roles do not exist yet."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def filled(migrated: Database) -> Database:
    migrated.execute(";".join((PERSON, GENERATION, VIDEO, JOB)))
    return migrated


def test_each_service_can_do_its_own_work(migrated: Database) -> None:
    for service, statements in ALLOWED.items():
        for statement in statements:
            migrated.execute(statement, role=f"sorami_{service}")


@pytest.mark.parametrize("service", FORBIDDEN)
def test_no_service_can_do_anothers_work(filled: Database, service: str) -> None:
    for statement in FORBIDDEN[service] + EVERY_ROLE:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            filled.execute(statement, role=f"sorami_{service}")
            raise AssertionError(f"{service} could: {statement}")


def test_the_grants_are_what_each_tables_docstring_says(migrated: Database) -> None:
    for mapper in table_classes():
        table = mapper.__table__
        name = f"{table.schema or 'public'}.{table.name}"
        writing = {
            role.removeprefix("sorami_")
            for role in ROLES
            for privilege in ("INSERT", "UPDATE", "DELETE")
            if migrated.value("SELECT has_table_privilege($1, $2, $3)", role, name, privilege)
        }
        said = re.match(r"Writers?: ([^.]*)\.", mapper.__doc__ or "")
        assert said is not None, f"{mapper.__name__} does not name its writer"
        assert writing == {word for word in ALLOWED if word in said[1]}, mapper.__name__


def table_classes() -> list[Any]:
    found = [value for value in vars(tables).values() if isinstance(value, type) and hasattr(value, "__table__")]
    assert len(found) == len(tables.metadata.tables)
    return found


def test_grants_are_put_right_again_when_the_roles_were_lost(migrated: Database) -> None:
    migrated.execute("REVOKE ALL ON sorami.jobs FROM sorami_gateway")
    migrated.execute("DELETE FROM sorami.schema_migrations WHERE name = 'roles.sql'")

    outcome = migrated.migrate()

    assert (outcome.code, outcome.text) == (0, "applied roles.sql\n")
    assert migrated.value("SELECT count(*) FROM sorami.jobs", role="sorami_gateway") == 0


def test_more_than_was_granted_is_taken_back(migrated: Database) -> None:
    migrated.execute(
        "GRANT UPDATE ON image_generations TO sorami_gateway; GRANT DELETE ON sorami.jobs TO sorami_generator"
    )
    migrated.execute("UPDATE sorami.schema_migrations SET checksum = 'older' WHERE name = 'roles.sql'")

    assert migrated.migrate().code == 0

    assert not migrated.value("SELECT has_table_privilege('sorami_gateway', 'image_generations', 'UPDATE')")
    assert not migrated.value("SELECT has_table_privilege('sorami_generator', 'sorami.jobs', 'DELETE')")


def test_a_login_that_may_create_roles_can_migrate_and_take_them(untouched: PostgresServer) -> None:
    admin = Database(untouched.url())
    admin.execute("CREATE ROLE app LOGIN CREATEROLE")
    admin.execute("CREATE DATABASE app OWNER app")
    own = Database(untouched.url("app", "app"))

    outcome = own.migrate()

    assert outcome.code == 0, outcome.text
    own.execute(PERSON, role="sorami_gateway")
    assert own.value("SELECT count(*) FROM image_generations", role="sorami_reader") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        own.execute(PERSON.replace("u1", "u2"), role="sorami_notifier")


def test_a_login_that_may_not_create_roles_is_told_what_to_run_and_then_migrates(untouched: PostgresServer) -> None:
    admin = Database(untouched.url())
    admin.execute("CREATE ROLE app LOGIN; CREATE ROLE other LOGIN")
    admin.execute("CREATE DATABASE app OWNER app")
    own, admin = Database(untouched.url("app", "app")), Database(untouched.url("app"))

    refused, printed = own.migrate(), own.migrate("--print-roles")

    assert refused.code == 1
    assert refused.text == (
        "sorami migrate: app may not create or take the roles sorami_gateway, sorami_generator, sorami_persistence,"
        " sorami_notifier, sorami_reader: have an administrator run what `sorami migrate --print-roles` prints,"
        " then migrate again\n"
    )
    assert own.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'sorami'") == 0

    admin.execute(printed.text)
    outcome = own.migrate()

    assert outcome.code == 0, outcome.text
    own.execute(PERSON, role="sorami_gateway")

    admin.execute("GRANT sorami_notifier TO other")
    separate = own.with_user("other")
    assert separate.value("SELECT count(*) FROM users") == 1
    for role in ("sorami_gateway", "sorami_reader"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            separate.execute("SELECT 1", role=role)
    admin.execute("GRANT sorami_gateway TO other")
    own.execute(GENERATION, role="sorami_gateway")
    assert separate.value("SELECT count(*) FROM image_generations") == 1
    assert separate.value("SELECT count(*) FROM image_generations", role="sorami_reader") == 0


def test_schemas_that_an_administrator_made_are_enough(untouched: PostgresServer) -> None:
    admin = untouched.database()
    admin.execute(
        "CREATE ROLE app LOGIN CREATEROLE; CREATE SCHEMA sorami AUTHORIZATION app; GRANT CREATE ON SCHEMA public TO app"
    )
    own = admin.with_user("app")

    outcome = own.migrate()

    assert outcome.code == 0, outcome.text
    own.execute(PERSON, role="sorami_gateway")


def test_tables_of_another_login_are_named_before_anything_is_changed(untouched: PostgresServer) -> None:
    Database(untouched.url()).execute("CREATE ROLE app LOGIN CREATEROLE")
    database = untouched.database()
    prisma_made.make(database)

    outcome = database.with_user("app").migrate()

    assert outcome.code == 1
    assert "users belongs to postgres: migrate with that login" in outcome.text
    assert f"app may not create a schema: GRANT CREATE ON DATABASE {database.name} TO app" in outcome.text
