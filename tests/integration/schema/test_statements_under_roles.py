"""Every statement that a service keeps in its `store.py` and `queries.py` is allowed to its own role.

Postgres judges: it plans each statement and checks the privileges as for a run, without rows and without values.
"""

import importlib
import re
from importlib.util import find_spec

import asyncpg
import pytest

from services.runtime import dead_letters
from tests.support.postgres import Database

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
MODULES = {
    "gateway": ["services.gateway.store", "services.gateway.queries", "services.runtime.identity"],
    "generator": ["services.generator.store", "services.generator.queries", "services.runtime.dead_letters"],
    "persistence": ["services.persistence.store", "services.persistence.queries", "services.runtime.dead_letters"],
    "notifier": [
        "services.notifier.store",
        "services.notifier.queries",
        "services.runtime.identity",
        "services.runtime.dead_letters",
    ],
}


def statements(module: str) -> dict[str, str]:
    if find_spec(module) is None:
        return {}
    values = vars(importlib.import_module(module)).items()
    return {f"{module}.{name}": value for name, value in values if isinstance(value, str) and STATEMENT.match(value)}


CASES = [
    pytest.param(service, text, id=f"{service}: {name}")
    for service, modules in MODULES.items()
    for module in modules
    for name, text in statements(module).items()
]


def plan(database: Database, statement: str, role: str) -> None:
    parameters = ", ".join(["NULL"] * max((int(number) for number in re.findall(r"\$(\d+)", statement)), default=0))
    call = f"s({parameters})" if parameters else "s"
    database.execute(
        f"SET plan_cache_mode = force_generic_plan; PREPARE s AS {statement}; EXPLAIN EXECUTE {call}", role=role
    )


@pytest.mark.parametrize(("service", "statement"), CASES)
def test_a_service_may_run_its_own_statements(migrated_once: Database, service: str, statement: str) -> None:
    plan(migrated_once, statement, f"sorami_{service}")


def test_a_statement_of_another_service_is_refused_by_the_same_check(migrated_once: Database) -> None:
    (insert,) = statements(dead_letters.__name__).values()

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table dead_letters"):
        plan(migrated_once, insert, "sorami_gateway")
