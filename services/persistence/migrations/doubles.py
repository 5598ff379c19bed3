"""Rows that stand twice where a key is wanted: counted before the key is built, with the SQL that cleans up."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.persistence.migrations.findings import Connection, Findings, quoted


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A unique key of Prisma's tables; `key` is written as Postgres prints it."""

    table: str
    index: str
    key: str
    columns: frozenset[str]


UNIQUE_KEYS = (
    UniqueKey("users", "users_clerkId_key", '"clerkId"', frozenset({"clerkId"})),
    UniqueKey("organizations", "organizations_clerkId_key", '"clerkId"', frozenset({"clerkId"})),
    UniqueKey(
        "organization_memberships",
        "organization_memberships_userId_organizationId_key",
        '"userId", "organizationId"',
        frozenset({"userId", "organizationId"}),
    ),
    UniqueKey(
        "image_files",
        "image_files_generationId_s3Key_key",
        '"generationId", "s3Key"',
        frozenset({"generationId", "s3Key"}),
    ),
    UniqueKey(
        "video_files",
        "video_files_generationId_s3Key_key",
        '"generationId", "s3Key"',
        frozenset({"generationId", "s3Key"}),
    ),
    UniqueKey(
        "notifications",
        "notifications_userId_type_generation_key",
        "\"userId\", type, (metadata ->> 'generationId'::text)",
        frozenset({"userId", "type", "metadata"}),
    ),
)

# One person or organisation standing twice cannot be told apart by a rule of ours.
IDENTITIES = frozenset({"users", "organizations"})


async def look_for_doubles(
    connection: Connection, schema: str, columns: Mapping[str, Collection[str]], findings: Findings
) -> None:
    """Count the surplus rows of every key that has no whole index yet."""
    for wanted in UNIQUE_KEYS:
        if not wanted.columns <= set(columns.get(wanted.table, ())):
            continue
        if await connection.fetchval("SELECT to_regclass($1)", f"{quoted(schema)}.{quoted(wanted.index)}"):
            continue
        surplus = await connection.fetchval(f"SELECT count(*) {_surplus_rows(wanted, 'id')}")
        if surplus == 0:
            continue
        line = f"{wanted.table} holds {surplus} row(s) more than its unique key ({wanted.key}) allows"
        if wanted.table in IDENTITIES:
            findings.blockers.append(f"{line}: merge them first; to find them: {_groups(wanted)}")
        else:
            findings.notes.append(
                f"{line}; they stay, and the key holds for every other row and every new one."
                f" To clean up later:\n{clean_up(wanted, schema)}"
            )


def clean_up(wanted: UniqueKey, schema: str) -> str:
    """The SQL that keeps the oldest of each and makes the key a whole one."""
    index = quoted(wanted.index)
    statements = (
        "BEGIN",
        f"SET LOCAL search_path TO {quoted(schema)}",
        f"DELETE FROM {wanted.table} WHERE id IN (SELECT id {_surplus_rows(wanted)})",  # noqa: S608 - names above
        f"DROP INDEX {index}",
        f"CREATE UNIQUE INDEX {index} ON {wanted.table} ({wanted.key})",
        "COMMIT",
    )
    return "\n".join(f"    {statement};" for statement in statements)


def _surplus_rows(wanted: UniqueKey, oldest_first: str = '"createdAt", id') -> str:
    number = f"row_number() OVER (PARTITION BY {wanted.key} ORDER BY {oldest_first})"
    whole = f"ROW({wanted.key}) IS NOT NULL"
    return f"FROM (SELECT id, {number} AS n FROM {wanted.table} WHERE {whole}) AS numbered WHERE n > 1"  # noqa: S608


def _groups(wanted: UniqueKey) -> str:
    return f"SELECT {wanted.key}, array_agg(id) FROM {wanted.table} GROUP BY 1 HAVING count(*) > 1;"  # noqa: S608
