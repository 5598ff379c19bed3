"""Postgres: whether it answers, as which version, migrated, with its roles, and by which clock."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from services.persistence.migrations.files import SERVICE_ROLES
from services.runtime.database import Pool, open_pool
from services.runtime.schema_version import HIGHEST_SCHEMA, SchemaMismatch, check_schema
from services.runtime.settings import RuntimeSettings
from sorami.doctor.findings import Finding, bad, look, ok

LOWEST_VERSION = 16
CLOCKS_DIFFER = 1.0
CLOCKS_TOO_FAR = 5.0
"""Seconds between our clock and the database's that are worth a look, and that make signatures fail."""
FEW_CONNECTIONS = 0.8

_ASK = """
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
           pg_is_in_recovery() AS standby, extract(epoch FROM clock_timestamp())::float8 AS now,
           current_setting('max_connections')::int AS most,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections
"""
# What another login's session is called may be hidden from us.
_SESSIONS = """
    SELECT array_agg(DISTINCT application_name) FILTER (WHERE application_name IS NOT NULL) AS names,
           bool_or(application_name IS NULL) AS hidden
    FROM pg_stat_activity WHERE datname = current_database()
"""
_TAKES = "SELECT CASE WHEN to_regrole($1) IS NULL THEN false ELSE pg_has_role($1, $2) END"


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and a pool for who looks further; None when the database cannot be used."""

    findings: list[Finding]
    pool: Pool | None


def place_of(url: str) -> str:
    """Return host, port and name of a database's address, and nothing else of it."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


async def examine_database(settings: RuntimeSettings, clock: Any = time.time) -> Examined:
    """Ask the database of the settings, as the login they name."""
    url = settings.database_url.get_secret_value()
    place = place_of(url)
    try:
        pool = await open_pool(url, role=None, application="sorami-doctor", size=2)
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        return Examined([bad("postgres", f"{place} lets nobody in: {error}", "correct DATABASE_URL")], None)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        do = "is it up, is the address right, may this machine reach it? DATABASE_URL"
        return Examined([bad("postgres", f"{place} does not answer ({type(error).__name__})", do)], None)
    began = clock()
    row = await pool.fetchrow(_ASK)
    ended = clock()
    if row is None:
        raise RuntimeError("a SELECT without FROM returned no row")
    findings = [_server(row, place), _clock(row["now"] - (began + ended) / 2), _room(row)]
    schema = await _schema(pool)
    findings += [schema, *_services(await pool.fetchrow(_SESSIONS))]
    if settings.takes_role:
        findings.append(await _roles(pool, row["major"]))
    if schema.state == "bad":
        await pool.close()
        return Examined(findings, None)
    return Examined(findings, pool)


def _server(row: Any, place: str) -> Finding:
    says = f"{row['version']} at {place}"
    if row["standby"]:
        return bad("postgres", f"{says} is a standby and takes no writes", "name the primary: DATABASE_URL")
    if row["major"] < LOWEST_VERSION:
        return look("postgres", f"{says} is older than {LOWEST_VERSION}", "upgrade it: older ones are not tested")
    return ok("postgres", says)


def _clock(ahead: float) -> Finding:
    says = f"the database's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    do = "synchronise both by NTP: tokens, signed addresses and webhooks' timestamps are judged by them"
    if abs(ahead) > CLOCKS_TOO_FAR:
        return bad("clock", says, do)
    return (
        look("clock", says, do)
        if abs(ahead) > CLOCKS_DIFFER
        else ok("clock", "this machine's and the database's agree")
    )


def _room(row: Any) -> Finding:
    says = f"{row['connections']} of {row['most']} connections are taken"
    if row["connections"] > FEW_CONNECTIONS * row["most"]:
        return look("connections", says, "raise max_connections, put a pooler in front, or lower SORAMI_DATABASE_POOL")
    return ok("connections", says)


def _services(row: Any) -> list[Finding]:
    away = [role for role in SERVICE_ROLES if role.replace("_", "-") not in (row["names"] or ())]
    if not away:
        return [ok("services", "all four are connected to the database")]
    if row["hidden"]:
        return []
    do = "start it, and read its log: a service that exits says why"
    return [bad("services", f"no {role.removeprefix('sorami_')} is connected to the database", do) for role in away]


async def _schema(pool: Pool) -> Finding:
    try:
        async with pool.acquire() as connection:
            await check_schema(connection)
    except SchemaMismatch as error:
        return bad("migrations", str(error), "sorami migrate (sorami migrate --dry-run says what it would do)")
    return ok("migrations", f"the schema is {HIGHEST_SCHEMA}")


async def _roles(pool: Pool, major: int) -> Finding:
    takes = "SET" if major >= LOWEST_VERSION else "MEMBER"
    lacking = [role for role in SERVICE_ROLES if not await pool.fetchval(_TAKES, role, takes)]
    if not lacking:
        return ok("roles", "the login may take every service's role")
    do = "sorami migrate, or have a DBA run what `sorami migrate --print-roles` prints; else SORAMI_TAKE_ROLE=false"
    return bad("roles", f"the login may not take {', '.join(lacking)}", do)
