"""Applies what is missing: one migration at a time, each file in its own transaction, or nothing at all."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from services.persistence.migrations.backfill import SEARCH_BACKFILL, fill_search
from services.persistence.migrations.files import (
    ROLES,
    ROLES_FILE,
    SqlFile,
    due,
    numbered_files,
    roles_file,
)
from services.persistence.migrations.findings import Connection, Findings
from services.persistence.migrations.privileges import look_at_privileges
from services.runtime.database_url import DatabaseAddress, quote_identifier
from services.runtime.schema_version import NAME

Say = Callable[[str], None]

LOCK = 0x534F52414D49  # "SORAMI"
# A table lock that waits stops everyone behind it: give up soon, let them pass, try again.
LOCK_TIMEOUT = "5s"
LOCK_TRIES = 12

STATE = """
SELECT name, checksum, (SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1::text[])) AS roles
FROM sorami.schema_migrations
"""
BOOTSTRAP = """
CREATE TABLE IF NOT EXISTS sorami.schema_migrations (
    name text CONSTRAINT schema_migrations_pkey PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""
RECORD = """
INSERT INTO sorami.schema_migrations (name, checksum) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()
"""


class MigrationRefused(Exception):
    """The migration cannot go on; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class State:
    """What the database says was applied."""

    applied: dict[str, str]
    roles: int

    def refuse_changed(self, files: list[SqlFile]) -> None:
        for file in files:
            if self.applied.get(file.name, file.checksum) != file.checksum:
                raise MigrationRefused(
                    f"{file.name} was changed after it was applied here: put the file back, and write a new migration"
                )

    def newer_than(self, files: list[SqlFile]) -> list[str]:
        known = {file.name for file in files}
        return sorted(name for name in self.applied if NAME.match(name) and name not in known)

    def roles_are_due(self, roles: SqlFile) -> bool:
        return self.roles < len(ROLES) or self.applied.get(ROLES_FILE) != roles.checksum


async def read_state(connection: Connection) -> State:
    try:
        rows = await connection.fetch(STATE, list(ROLES))
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return State({}, 0)
    return State({row["name"]: row["checksum"] for row in rows}, rows[0]["roles"] if rows else 0)


async def migrate(connection: Connection, address: DatabaseAddress, *, phase: str, dry_run: bool, say: Say) -> int:
    """Bring the database to this build's schema; one query when there is nothing to do."""
    files, roles = numbered_files(), roles_file()
    pending = _pending(await read_state(connection), files, roles, phase, say)
    if not pending:
        return 0
    if dry_run:
        async with connection.transaction(readonly=True):
            return await _plan(connection, address, pending, say)
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
        say("another migration is running, waiting for it")
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
    try:
        return await _apply(connection, address, files, roles, phase, say)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


def _pending(state: State, files: list[SqlFile], roles: SqlFile, phase: str, say: Say) -> list[SqlFile]:
    """The files that this run has to apply, then the roles, then what rows that stand already need."""
    state.refuse_changed(files)
    newer = state.newer_than(files)
    if newer:
        say(f"the database is newer than this build (it has {newer[-1]}): nothing was changed")
        return []
    pending = due(files, set(state.applied), phase)
    if state.roles_are_due(roles):
        pending = [*pending, roles]
    if SEARCH_BACKFILL.name not in state.applied:
        pending = [*pending, SEARCH_BACKFILL]
    if not pending:
        say("nothing to do: the database is at this build's schema")
    return pending


async def _look(connection: Connection, address: DatabaseAddress) -> Findings:
    # Half a second of imports (sqlmodel) that a database with nothing to do is spared.
    from services.persistence.migrations.adoption import look_at_prisma_tables

    findings = Findings()
    await look_at_privileges(connection, address.schema, findings)
    await look_at_prisma_tables(connection, address.schema, findings)
    return findings


async def _plan(connection: Connection, address: DatabaseAddress, pending: list[SqlFile], say: Say) -> int:
    findings = await _look(connection, address)
    for file in pending:
        say(f"would apply {file.name}")
    for change in findings.changes:
        say(f"would {change}")
    for note in findings.notes:
        say(f"note: {note}")
    for blocker in findings.blockers:
        say(f"stops the migration: {blocker}")
    return 1 if findings.blockers else 0


async def _apply(
    connection: Connection,
    address: DatabaseAddress,
    files: list[SqlFile],
    roles: SqlFile,
    phase: str,
    say: Say,
) -> int:
    pending = _pending(await read_state(connection), files, roles, phase, say)
    if not pending:
        return 0
    findings = await _look(connection, address)
    if findings.blockers:
        raise MigrationRefused("\n".join(findings.blockers))
    async with connection.transaction():
        for schema in (address.schema, "sorami"):
            # IF NOT EXISTS asks for the right to create schemas even where an administrator has made this one.
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema):
                await connection.execute(f"CREATE SCHEMA {quote_identifier(schema)}")
        await connection.execute(BOOTSTRAP)
    for file in pending:
        if file is SEARCH_BACKFILL:
            await fill_search(connection, say)
            await connection.execute(RECORD, file.name, file.checksum)
        else:
            await _apply_file(connection, file, say)
        say(f"applied {file.name}")
    for note in findings.notes:
        say(f"note: {note}")
    return 0


async def _apply_file(connection: Connection, file: SqlFile, say: Say) -> None:
    for tries_left in reversed(range(LOCK_TRIES)):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute(file.sql)
                await connection.execute(RECORD, file.name, file.checksum)
        except asyncpg.LockNotAvailableError:
            if not tries_left:
                raise MigrationRefused(
                    f"{file.name}: a table stayed locked by others; nothing of it was applied"
                ) from None
            say(f"{file.name}: a table is in use, trying again")
            await asyncio.sleep(1)
        except asyncpg.PostgresError as error:
            raise MigrationRefused(f"{file.name} failed and was rolled back: {error}") from None
        else:
            return
