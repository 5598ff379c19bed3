"""Prisma's tables as they stand against `contracts.tables`: what is added, what is kept, what cannot be adopted."""

from typing import Any

import asyncpg
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from contracts.tables import metadata
from services.persistence.migrations.doubles import look_for_doubles
from services.persistence.migrations.findings import Connection, Findings, quoted

# By the wanted type: what asyncpg, Prisma and our statements read and write alike. Anything else is refused.
COMPATIBLE = {
    "TEXT": {"text", "varchar", "citext"},
    "INTEGER": {"int4", "int8", "int2"},
    "DOUBLE PRECISION": {"float8", "float4"},
    "TIMESTAMP(3) WITHOUT TIME ZONE": {"timestamp", "timestamptz"},
    "JSONB": {"jsonb", "json"},
    '"ImageJobStatus"': {"ImageJobStatus"},
}
SHORT_TEXT = 255
FILLED_BY_US = frozenset({"updatedAt", "updated_at", "createdAt"})

TABLES = """
SELECT c.relname AS name, c.relkind::text AS kind,
       c.relrowsecurity AND NOT EXISTS (
           SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'sorami_everybody') AS foreign_rules,
       pg_get_userbyid(c.relowner) AS owner,
       pg_has_role(c.relowner, 'USAGE') AS owned,
       ARRAY(SELECT a.attname::text FROM pg_constraint k JOIN pg_attribute a
             ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
             WHERE k.conrelid = c.oid AND k.contype = 'p') AS primary_key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

COLUMNS = """
SELECT c.relname AS table, a.attname AS name, t.typname AS type, format_type(a.atttypid, a.atttypmod) AS printed,
       a.atttypmod AS modifier, a.attnotnull AS required, a.atthasdef OR a.attidentity <> '' AS has_default
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
ORDER BY c.relname, a.attnum
"""

LABELS = """
SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid
WHERE n.nspname = $1 AND t.typname = 'ImageJobStatus'
"""

Columns = dict[str, dict[str, asyncpg.Record]]


def prisma_tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.schema is None]


async def look_at_prisma_tables(connection: Connection, schema: str, findings: Findings) -> None:
    """Compare what stands in `schema` with what is wanted; nothing is changed."""
    wanted = {table.name: table for table in prisma_tables()}
    found = {row["name"]: row for row in await connection.fetch(TABLES, schema, list(wanted))}
    columns: Columns = {name: {} for name in found}
    for row in await connection.fetch(COLUMNS, schema, list(found)):
        columns[row["table"]][row["name"]] = row
    for name, table in wanted.items():
        if name not in found:
            findings.changes.append(f"create table {name}")
        elif _is_ours_to_change(found[name], findings):
            _compare(table, columns[name], findings)
    await _look_at_labels(connection, schema, findings)
    if not findings.blockers:
        await look_for_doubles(connection, schema, columns, findings)
        await _look_for_open_generations(connection, columns, findings)


def _is_ours_to_change(table: asyncpg.Record, findings: Findings) -> bool:
    name = table["name"]
    before = len(findings.blockers)
    if table["kind"] != "r":
        findings.blockers.append(f"{name} is not an ordinary table: move it aside, or give Sorami another schema")
    elif not table["owned"]:
        findings.blockers.append(f"{name} belongs to {quoted(table['owner'])}: migrate with that login")
    elif table["primary_key"] != ["id"]:
        findings.blockers.append(f"{name} has no primary key on id alone: ALTER TABLE {name} ADD PRIMARY KEY (id)")
    elif table["foreign_rules"]:
        findings.blockers.append(
            f"{name} has row level security, which would hide its rows from the services:"
            f" ALTER TABLE {name} DISABLE ROW LEVEL SECURITY, or give Sorami another database"
        )
    return len(findings.blockers) == before


def _compare(table: Table, columns: dict[str, asyncpg.Record], findings: Findings) -> None:
    for wanted in table.columns:
        found = columns.get(wanted.name)
        if found is None:
            _add_column(table.name, wanted, findings)
        else:
            _keep_column(wanted, found, findings)
    stricter = [
        quoted(name)
        for name, found in columns.items()
        if name in table.columns and table.columns[name].nullable and found["required"] and not found["has_default"]
    ]
    if stricter:
        findings.notes.append(
            f"{table.name} requires {', '.join(stricter)} here: a row for which nobody says it is refused"
        )
    for name, found in columns.items():
        if name not in table.columns and found["required"] and not found["has_default"]:
            _unknown_column(found, findings)


def _add_column(table: str, wanted: Column[Any], findings: Findings) -> None:
    printed = wanted.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    if not wanted.nullable and (wanted.primary_key or wanted.foreign_keys or wanted.name == "clerkId"):
        findings.blockers.append(
            f"{table} lacks {quoted(wanted.name)} ({printed}), which only you can fill:"
            f" ALTER TABLE {table} ADD COLUMN {quoted(wanted.name)} {printed}, fill it, then SET NOT NULL"
        )
        return
    findings.changes.append(f"add column {table}.{quoted(wanted.name)} {printed}")


def _keep_column(wanted: Column[Any], found: asyncpg.Record, findings: Findings) -> None:
    name = f"{found['table']}.{quoted(wanted.name)}"
    printed = wanted.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    narrow = found["type"] == "int2" and wanted.name == "fileSize"
    if found["type"] not in COMPATIBLE[printed] or narrow:
        findings.blockers.append(f"{name} is {found['printed']}, Sorami needs {printed}: change it or rename it")
        return
    if found["type"] == "varchar" and 0 < found["modifier"] - 4 < SHORT_TEXT:
        findings.notes.append(f"{name} is {found['printed']}: a longer value is refused by the database")
    default = "CURRENT_TIMESTAMP" if wanted.name == "createdAt" else _server_default(wanted)
    if default is not None and found["required"] and not found["has_default"]:
        findings.changes.append(f"set default of {name} to {default}")


def _unknown_column(found: asyncpg.Record, findings: Findings) -> None:
    name = f"{found['table']}.{quoted(found['name'])}"
    if found["name"] in FILLED_BY_US and found["type"] in ("timestamp", "timestamptz"):
        findings.changes.append(f"set default of {name} to CURRENT_TIMESTAMP")
        return
    findings.blockers.append(
        f"{name} is required, has no default and is unknown to Sorami, so that its inserts would fail:"
        f" ALTER TABLE {found['table']} ALTER COLUMN {quoted(found['name'])} SET DEFAULT …, or DROP NOT NULL"
    )


def _server_default(column: Column[Any]) -> str | None:
    return None if column.server_default is None else str(column.server_default.arg)  # type: ignore[attr-defined]


async def _look_at_labels(connection: Connection, schema: str, findings: Findings) -> None:
    labels = await connection.fetchval(LABELS, schema)
    if labels is None:
        findings.changes.append('create type "ImageJobStatus"')
        return
    wanted = ("PENDING", "GENERATING", "COMPLETED", "FAILED")
    findings.changes += [f'add label {label} to "ImageJobStatus"' for label in wanted if label not in labels]
    others = [label for label in labels if label not in wanted]
    if others:
        findings.notes.append(f'"ImageJobStatus" also has {", ".join(others)}: kept, Sorami never writes them')


async def _look_for_open_generations(connection: Connection, columns: Columns, findings: Findings) -> None:
    if await connection.fetchval("SELECT to_regclass('sorami.jobs')"):
        return  # from here on open rows are work in progress
    still_open = "status::text IN ('PENDING', 'GENERATING')"
    for table in ("image_generations", "video_generations"):
        if "status" not in columns.get(table, {}):
            continue
        count = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {still_open}")  # noqa: S608 - our names
        if count:
            end = f"UPDATE {table} SET status = 'FAILED' WHERE {still_open}"  # noqa: S608 - shown, not run
            findings.notes.append(
                f"{table} holds {count} row(s) that never ended; they are shown as they are. To end the old ones:"
                f" {end} AND \"createdAt\" < now() - interval '1 day';"
            )
