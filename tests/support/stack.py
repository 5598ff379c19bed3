"""The embedded servers for tests: one set a session, a database of its own for each module, topics for each test."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sorami.local.postgres import DATABASE
from sorami.local.postgres import programs as postgres_programs
from sorami.local.stack import Stack


@pytest.fixture(scope="session")
def stack_home() -> Iterator[Path]:
    """A folder that Postgres' own user can reach (pytest's temporary folders are closed to it)."""
    folder = Path(tempfile.mkdtemp(prefix="sorami-test-"))
    folder.chmod(0o711)
    yield folder / "home"
    folder.rmdir()


@pytest.fixture(scope="session")
def stack(stack_home: Path) -> Iterator[Stack]:
    """Real Postgres, Kafka and S3, ready; no services. Tests of crashes make a `Stack` of their own."""
    with Stack(stack_home, discard=True) as running:
        yield running


@pytest.fixture(scope="session")
def migrated_template(stack: Stack) -> str:
    """A database that `sorami migrate` made once; others are copied from it in milliseconds."""
    name = "template_migrated"
    sql(stack, f"create database {name}")
    subprocess.run(
        [sys.executable, "-m", "services.persistence.migrate"],
        env={**os.environ, **stack.env, "DATABASE_URL": url_of(stack, name)},
        check=True,
    )
    return name


@pytest.fixture(scope="module")
def empty_database(stack: Stack) -> Iterator[str]:
    """The address of a fresh database without a table."""
    yield from _database(stack, "template0")


@pytest.fixture(scope="module")
def database(stack: Stack, migrated_template: str) -> Iterator[str]:
    """The address of a fresh migrated database, one a module."""
    yield from _database(stack, migrated_template)


@pytest.fixture
def topic_prefix() -> str:
    """Names of topics and groups that no other test has."""
    return f"t{secrets.token_hex(4)}."


def _database(stack: Stack, template: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(5)}"
    sql(stack, f"create database {name} template {template}")
    yield url_of(stack, name)
    sql(stack, f"drop database {name} with (force)")


def url_of(stack: Stack, name: str) -> str:
    return stack.env["DATABASE_URL"].removesuffix(DATABASE) + name


def sql(stack: Stack, statement: str, database: str = "postgres") -> str:
    """Runs a statement by psql and answers what it prints."""
    done = subprocess.run(
        [
            postgres_programs() / "bin" / "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
            url_of(stack, database),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
