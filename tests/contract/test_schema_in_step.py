"""`contracts.tables`, `schema.prisma` and the migrated database say the same; Postgres itself is the judge."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from contracts.tables import metadata
from contracts.tables.columns import IMAGE_JOB_STATUS
from services.persistence.migrations.doubles import UNIQUE_KEYS
from tests.support import prisma_schema
from tests.support.postgres import Database, PostgresServer

PRISMA = (Path(__file__).parents[2] / "contracts" / "schema.prisma").read_text(encoding="utf-8")

COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname IN ('public', 'sorami') AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'sorami')"
# A unique constraint and a unique index are the same to us, as they are to Prisma.
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, replace(pg_get_constraintdef(oid), ' ON UPDATE CASCADE', '')
FROM pg_constraint WHERE connamespace IN ('public'::regnamespace, 'sorami'::regnamespace) AND contype IN ('p', 'f', 'c')
"""
FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = $1::text::regclass
"""
UNIQUE = """
SELECT c.relname, (SELECT string_agg(pg_get_indexdef(c.oid, n, true), ', ' ORDER BY n)
                   FROM generate_series(1, i.indnkeyatts) AS n)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND NOT i.indisprimary
"""
STORAGE = "SELECT reloptions FROM pg_class WHERE oid = $1::text::regclass"


@pytest.fixture(scope="module")
def declared(postgres: PostgresServer) -> Database:
    """The database as `contracts.tables` declares it."""
    database = postgres.database()
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    labels = ", ".join(f"'{label}'" for label in IMAGE_JOB_STATUS.enums)
    statements = ["CREATE SCHEMA sorami", f'CREATE TYPE "ImageJobStatus" AS ENUM ({labels})']
    for table in metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    database.execute(";\n".join(statements))
    return database


@pytest.mark.parametrize("query", [COLUMNS, INDEXES, CONSTRAINTS], ids=["columns", "indexes", "constraints"])
def test_the_migrations_make_what_the_tables_declare(migrated_once: Database, declared: Database, query: str) -> None:
    assert set(migrated_once.rows(query)) == set(declared.rows(query))


def test_the_storage_settings_are_the_declared_ones(migrated_once: Database) -> None:
    for table in metadata.sorted_tables:
        name = f"{table.schema or 'public'}.{table.name}"
        wanted: dict[str, str] = table.info.get("storage", {})
        assert dict(option.split("=") for option in migrated_once.value(STORAGE, name) or ()) == wanted, name


def test_schema_prisma_has_the_models_of_prismas_tables_and_no_other() -> None:
    assert set(prisma_schema.models(PRISMA)) == {table.name for table in metadata.sorted_tables if table.schema is None}
    assert prisma_schema.enums(PRISMA) == {"ImageJobStatus": IMAGE_JOB_STATUS.enums}


@pytest.mark.parametrize("table", sorted(prisma_schema.models(PRISMA)))
def test_schema_prisma_says_what_the_database_holds(migrated_once: Database, table: str) -> None:
    model = prisma_schema.models(PRISMA)[table]

    columns = {row[2:6] for row in migrated_once.rows(COLUMNS) if row[:2] == ("public", table)}
    indexes = {name: _after_table(definition) for name, definition in _of(migrated_once, table)}

    assert {(column.name, column.type, column.required, column.default) for column in model.columns} == columns
    assert model.foreign_keys == dict(migrated_once.rows(FOREIGN_KEYS, f"public.{table}"))
    assert model.indexes == {name: text for name, text in indexes.items() if name not in _not_in_prisma(table)}


@pytest.mark.parametrize("table", ["image_generations", "video_generations", "notifications"])
def test_what_prisma_cannot_express_is_named_in_its_schema(migrated_once: Database, table: str) -> None:
    for name in _not_in_prisma(table):
        assert name in dict(_of(migrated_once, table))
        assert f'"{name}"' in PRISMA.split("generator client")[0]


def test_the_keys_that_are_checked_for_doubles_are_those_of_the_database(migrated_once: Database) -> None:
    assert {wanted.index: wanted.key for wanted in UNIQUE_KEYS} == dict(migrated_once.rows(UNIQUE))


def test_every_foreign_key_is_indexed(migrated_once: Database) -> None:
    unindexed = migrated_once.rows("""
        SELECT conrelid::regclass::text, conname FROM pg_constraint k
        WHERE contype = 'f' AND connamespace IN ('public'::regnamespace, 'sorami'::regnamespace) AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1] AND i.indpred IS NULL)
    """)
    assert unindexed == []


def _of(database: Database, table: str) -> list[tuple[Any, ...]]:
    return database.rows(f"{INDEXES} AND tablename = $1", table)


def _after_table(definition: str) -> str:
    unique = "UNIQUE " if definition.startswith("CREATE UNIQUE") else ""
    return unique + definition.partition(" USING btree ")[2]


def _not_in_prisma(table: str) -> set[str]:
    if table.endswith("_generations"):
        return {f"{table}_gallery_idx", f"{table}_unfinished_idx"}
    return {"notifications_userId_type_generation_key"} if table == "notifications" else set()
