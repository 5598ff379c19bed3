"""May this login migrate, and may it make and take the services' roles? Asked before anything is changed."""

import asyncpg

from services.persistence.migrations.files import ROLES as ALL_ROLES
from services.persistence.migrations.findings import Connection, Findings, quoted

OLDEST_POSTGRES = 150000

LOGIN = """
SELECT current_user AS login, current_database() AS database,
       current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
       r.rolsuper, r.rolcreaterole,
       has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1) AS may_create_tables,
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'sorami') AS may_create_ours,
       (SELECT n.nspname FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE t.tgname = 'no_way_back' AND c.relname = 'image_generations' AND n.nspname <> $1 LIMIT 1) AS elsewhere
FROM pg_roles r WHERE r.rolname = current_user
"""

ROLES = """
SELECT wanted.name, r.oid IS NOT NULL AS exists,
       coalesce(pg_has_role(r.oid, $2), false) AS taken,
       coalesce(pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION'), false) AS grantable
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place) LEFT JOIN pg_roles r ON r.rolname = wanted.name
ORDER BY wanted.place
"""


async def look_at_privileges(connection: Connection, schema: str, findings: Findings) -> None:
    """Add a blocker for each thing this login may not do, with the statement that mends it."""
    login = await connection.fetchrow(LOGIN, schema)
    if login is None:
        raise RuntimeError("the server does not know its own login")
    if login["version"] < OLDEST_POSTGRES:
        findings.blockers.append(f"PostgreSQL 15 or newer is needed, this is {login['version_text']}")
        return
    if login["elsewhere"] is not None:
        findings.blockers.append(
            f'this database already serves the tables of schema "{login["elsewhere"]}", DATABASE_URL names "{schema}":'
            f" write ?schema={login['elsewhere']}, or use another database"
        )
    _look_at_schemas(login, schema, findings)
    takes = "SET" if login["version"] >= 160000 else "MEMBER"
    roles = await connection.fetch(ROLES, list(ALL_ROLES), takes)
    missing = [role["name"] for role in roles if not _can_have(role, login)]
    if missing:
        findings.blockers.append(
            f"{quoted(login['login'])} may not create or take the roles {', '.join(missing)}: have an administrator"
            " run what `sorami migrate --print-roles` prints, then migrate again"
        )


def _look_at_schemas(login: asyncpg.Record, schema: str, findings: Findings) -> None:
    name = quoted(login["login"])
    if not login["may_create_schema"] and None in (login["may_create_ours"], login["may_create_tables"]):
        findings.blockers.append(
            f"{name} may not create a schema: GRANT CREATE ON DATABASE {quoted(login['database'])} TO {name}"
        )
    for privilege, where in (("may_create_ours", "sorami"), ("may_create_tables", schema)):
        if login[privilege] is False:
            findings.blockers.append(
                f"{name} may not create tables in {quoted(where)}: GRANT CREATE ON SCHEMA {quoted(where)} TO {name}"
            )


def _can_have(role: asyncpg.Record, login: asyncpg.Record) -> bool:
    if login["rolsuper"] or role["taken"] or role["grantable"]:
        return True
    # Before Postgres 16, CREATEROLE may grant any role; since then only those it made or administers.
    return bool(login["rolcreaterole"]) and (not role["exists"] or login["version"] < 160000)
