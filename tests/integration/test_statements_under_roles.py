"""The writers' table is true: every statement of every store runs under its service's role, and others are refused."""

import importlib
import importlib.util
import pkgutil
import re
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from contracts.kinds import KINDS
from services.runtime.outbox import insert_statement
from services.runtime.relay import PUT_ASIDE
from tests.support.postgres import Database, wait_for

SERVICES = ("gateway", "generator", "persistence", "notifier")
_VERBS = re.compile(r"^\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


def modules_of(name: str) -> list[ModuleType]:
    """Return a module, or a package with its modules; nothing when there is none of this name."""
    if importlib.util.find_spec(name) is None:
        return []
    module = importlib.import_module(name)
    inner = [found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))]
    return [module, *(importlib.import_module(f"{name}.{one}") for one in inner)]


def statements(service: str) -> dict[str, str]:
    """Return every SQL statement that a service's store and queries hold, by name."""
    found: dict[str, str] = {}
    for module_name in ("store", "queries"):
        for module in modules_of(f"services.{service}.{module_name}"):
            subject = module.__name__.split(".", 2)[2]
            for name, value in vars(module).items():
                texts = value.items() if isinstance(value, dict) else [("", value)]
                for key, text in texts:
                    if isinstance(text, str) and _VERBS.match(text):
                        found[f"{subject}.{name}{key}"] = text
    runtime = importlib.import_module("services.runtime.identity")
    if service in ("gateway", "notifier"):
        found |= {
            f"identity.{name}": getattr(runtime, name)
            for name in ("_BY_SUBJECT", "_BY_SESSION", "_BY_KEY", "_NOTE_USE")
        }
    if service in ("generator", "persistence", "notifier"):
        found["dead_letters._INSERT"] = importlib.import_module("services.runtime.dead_letters")._INSERT
    found["outbox.insert"] = insert_statement(service)
    table = f"sorami.outbox_{service}"
    found["relay.delete"] = f"DELETE FROM {table} WHERE id = ANY($1::bigint[])"
    found["relay.put_aside"] = PUT_ASIDE.format(table=table)
    found["relay.read"] = f"SELECT id, topic, key, value, headers FROM {table} ORDER BY id LIMIT 500"
    return found


async def run_as(database: Database, service: str, text: str) -> None:
    """Run a statement with empty values under the role of a service, and take it back."""
    connection = await asyncpg.connect(database.url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f'SET LOCAL ROLE "sorami_{service}"')
        prepared = await connection.prepare(text)
        await prepared.fetch(*[_empty(parameter.name) for parameter in prepared.get_parameters()])
    except asyncpg.IntegrityConstraintViolationError:
        pass  # the privilege was there; that NULL is no value for the column is another rule
    finally:
        await connection.close()


def _empty(type_name: str) -> Any:
    if type_name.endswith("[]"):
        return []
    return {"jsonb": "[]", "int4": 1, "int8": 1, "float8": 1.0, "bytea": b"", "text": "", "varchar": ""}.get(type_name)


ALL = [(service, name) for service in SERVICES for name in statements(service)]


def test_stores_hold_statements() -> None:
    assert len(ALL) > 40
    for service in SERVICES:
        assert [name for owner, name in ALL if owner == service and name.startswith(("store", "queries"))]


@pytest.mark.parametrize(("service", "name"), ALL)
def test_a_statement_runs_under_the_role_of_its_service(migrated: Database, service: str, name: str) -> None:
    wait_for(run_as(migrated, service, statements(service)[name]))


GENERATIONS = [kind.generations_table for kind in KINDS.values()]
FORBIDDEN = [
    *(("gateway", f"UPDATE {table} SET progress = 1") for table in GENERATIONS),
    ("gateway", "UPDATE sorami.jobs SET progress = 1"),
    ("gateway", "INSERT INTO image_files (id) VALUES ('x')"),
    ("gateway", "INSERT INTO sorami.outbox_persistence (topic, key, value) VALUES ('t', 'k', '')"),
    ("gateway", "SELECT id FROM image_generations FOR UPDATE"),
    *(("generator", f"UPDATE {table} SET progress = 1") for table in GENERATIONS),
    ("generator", "UPDATE sorami.jobs SET progress = 1"),
    ("generator", "SELECT * FROM sorami.sessions"),
    ("generator", "INSERT INTO notifications (id) VALUES ('x')"),
    ("persistence", "INSERT INTO sorami.jobs (id) VALUES ('x')"),
    *(("persistence", f"INSERT INTO {table} (id) VALUES ('x')") for table in GENERATIONS),
    ("persistence", "UPDATE sorami.tasks SET fence = 9"),
    ("persistence", "UPDATE users SET name = 'x'"),
    ("notifier", "UPDATE sorami.jobs SET progress = 1"),
    *(("notifier", f"UPDATE {table} SET progress = 1") for table in GENERATIONS),
    ("notifier", "INSERT INTO sorami.outbox_gateway (topic, key, value) VALUES ('t', 'k', '')"),
]


@pytest.mark.parametrize(("service", "text"), FORBIDDEN)
def test_what_another_service_writes_is_refused(migrated: Database, service: str, text: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        wait_for(run_as(migrated, service, text))
