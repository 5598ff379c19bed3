"""`sorami migrate`: brings the database of DATABASE_URL to the schema of this build."""

import argparse
import asyncio
import os
import sys
from urllib.parse import unquote, urlsplit

import asyncpg

from services.persistence.migrations.files import SERVICE_ROLES, roles_file
from services.persistence.migrations.findings import Connection
from services.persistence.migrations.runner import MigrationRefused, migrate
from services.runtime.database_url import DatabaseAddress, parse_database_url, quote_identifier

WRONG_SETTING = 78
NOT_THERE = 75
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

NOT_THERE_YET = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
)


def main(argv: list[str] | None = None) -> int:
    """Migrate, or print what would be done; the exit code is 0, 1 (refused), 75 (no database) or 78 (setting)."""
    options = _parser().parse_args(argv)
    url = os.environ.get("DATABASE_URL", "")
    try:
        address = parse_database_url(url) if url else None
    except ValueError as error:
        return _fail(str(error), WRONG_SETTING)
    if options.print_roles:
        _say(roles_for_an_administrator(address))
        return 0
    if address is None:
        return _fail("DATABASE_URL is not set", WRONG_SETTING)
    try:
        return asyncio.run(_run(address, options))
    except MigrationRefused as refused:
        return _fail(str(refused), 1)
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        return _fail(f"DATABASE_URL: {error}", WRONG_SETTING)
    except NOT_THERE_YET as error:
        return _fail(f"no database answered within {options.wait:g} s: {error or type(error).__name__}", NOT_THERE)
    except asyncpg.PostgresError as error:
        return _fail(str(error), 1)


def roles_for_an_administrator(address: DatabaseAddress | None) -> str:
    """The roles and grants as SQL for whoever may create roles, also before the tables exist."""
    schema = address.schema if address else "public"
    login = _login(address) if address else None
    lines = [
        "-- Run as an administrator, in Sorami's own database. It may be run before and after `sorami migrate`.",
        f"SET search_path TO {quote_identifier(schema)};",
        "-- The login of DATABASE_URL, which takes the services' roles.",
        f"SET sorami.login = '{(login or 'sorami').replace(chr(39), chr(39) * 2)}';",
        "",
        roles_file().sql,
        "-- A service with a login of its own (SORAMI_<SERVICE>_DATABASE_URL):",
        *(f'-- GRANT {role} TO "login of {role.removeprefix("sorami_")}";' for role in SERVICE_ROLES),
    ]
    return "\n".join(lines)


async def _run(address: DatabaseAddress, options: argparse.Namespace) -> int:
    connection = await _connect(address, options.wait)
    try:
        return await migrate(connection, address, phase=options.phase, dry_run=options.dry_run, say=_say)
    finally:
        await connection.close()


async def _connect(address: DatabaseAddress, wait: float) -> Connection:
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + wait, FIRST_PAUSE
    while True:
        try:
            return await asyncpg.connect(
                address.dsn,
                timeout=max(deadline - loop.time(), 1.0),
                server_settings=address.server_settings,
                statement_cache_size=0,
            )
        except NOT_THERE_YET:
            if loop.time() + pause > deadline:
                raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sorami migrate", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    parser.add_argument("--print-roles", action="store_true", help="print the roles and grants for an administrator")
    parser.add_argument(
        "--phase",
        choices=("pre", "post", "all"),
        default="all",
        help="pre: before the new code starts; post: after the old code is gone; all (default): everything",
    )
    parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for the database")
    return parser


def _login(address: DatabaseAddress) -> str | None:

    user = urlsplit(address.dsn).username
    return unquote(user) if user else None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(lines: str, code: int) -> int:
    for line in lines.splitlines():
        sys.stderr.write(f"sorami migrate: {line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
