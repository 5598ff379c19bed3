"""Which database schemas this build runs on; each service asks when it starts."""

import re
from collections.abc import Iterable
from itertools import count
from typing import Any, Protocol

# Every migration up to LOWEST must be applied. Beyond HIGHEST only `pre` migrations may be: by definition they
# leave the code before them working, so that an old instance can restart while a new release rolls out.
LOWEST_SCHEMA = 21
HIGHEST_SCHEMA = 21

EXIT_CODE = 78
APPLIED = "SELECT name FROM sorami.schema_migrations"
NO_SUCH = frozenset({"3F000", "42P01"})  # no such schema, no such table
NAME = re.compile(r"^(?P<number>\d{4})_(?P<phase>pre|post)_\w+\.sql$")


class Connection(Protocol):
    """The part of an asyncpg connection that is needed here."""

    async def fetch(self, query: str, /) -> list[Any]: ...


class SchemaMismatch(Exception):
    """The database is not at a schema this build runs on; the text is one line for a person."""

    exit_code = EXIT_CODE


def judge(names: Iterable[str]) -> None:
    """Raise SchemaMismatch unless the applied migrations are those this build needs and no later breaking one."""
    known = [match for match in map(NAME.match, names) if match]
    numbers = {int(match["number"]) for match in known}
    current = next(number for number in count() if number + 1 not in numbers)
    if current < LOWEST_SCHEMA:
        raise SchemaMismatch(f"database schema is {current}, this build needs {LOWEST_SCHEMA}: run sorami migrate")
    breaking = max((int(match["number"]) for match in known if match["phase"] == "post"), default=0)
    if breaking > HIGHEST_SCHEMA:
        raise SchemaMismatch(
            f"database schema is {breaking}, this build runs on at most {HIGHEST_SCHEMA}: run a newer build"
        )


async def check_schema(connection: Connection) -> None:
    """Ask the database once; raise SchemaMismatch when this build may not run on it."""
    try:
        rows = await connection.fetch(APPLIED)
    except Exception as error:
        if getattr(error, "sqlstate", None) not in NO_SUCH:
            raise
        rows = []
    judge(row["name"] for row in rows)
