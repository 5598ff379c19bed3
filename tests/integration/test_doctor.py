"""`sorami doctor` explains what is wrong: each finding is seen on an installation that is broken in just that way."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.topics import JOB_REQUESTED
from services.runtime.settings import RuntimeSettings
from services.runtime.topic_admin import ensure_topics
from sorami.doctor import __main__ as doctor
from sorami.doctor.database import examine_database
from sorami.doctor.findings import Finding
from sorami.doctor.machine import examine_disk
from sorami.doctor.setup import missing_settings
from sorami.local.home import Home
from sorami.local.stack import Stack
from tests.support.postgres import Database
from tests.support.product import Product

Findings = list[Finding]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Sets the whole environment of an installation."""

    def use(values: Mapping[str, str]) -> None:
        for name in list(os.environ):
            if name.startswith(("SORAMI_", "KAFKA_", "S3_", "AWS_", "PG")) or name in ("DATABASE_URL", "ENVIRONMENT"):
                monkeypatch.delenv(name)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return use


@pytest.fixture
def nobody_listens() -> Iterator[int]:
    """A port that refuses."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def about(findings: Findings, name: str) -> Findings:
    found = [finding for finding in findings if finding.about == name]
    assert found, f"nothing is said about {name}: {sorted({finding.about for finding in findings})}"
    return found


def examine(home: Path) -> Findings:
    return doctor.examine(Home(home / "nowhere"))


def settings_of(database: Database) -> RuntimeSettings:
    return RuntimeSettings(database_url=database.url)


async def database_of(database: Database, **more: Any) -> Findings:
    examined = await examine_database(settings_of(database), **more)
    if examined.pool is not None:
        await examined.pool.close()
    return examined.findings


async def work_of(database: Database) -> Findings:
    from sorami.doctor.work import examine_work

    examined = await examine_database(settings_of(database))
    assert examined.pool is not None
    async with examined.pool as pool:
        return await examine_work(pool)


async def test_a_healthy_installation_is_called_so(
    product: Product, environment: Callable[[Mapping[str, str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    environment({**product.stack.env, "SORAMI_HOME": str(product.stack.home.root)})
    code = await asyncio.to_thread(doctor.main, ["--json"])
    found: dict[str, list[str]] = {}
    for finding in json.loads(capsys.readouterr().out):
        found.setdefault(finding["about"], []).append(finding["state"])
    for name in ("settings", "postgres", "clock", "migrations", "roles", "kafka", "topics", "services", "objects"):
        assert found[name] == ["ok"], (name, found)
    assert found["disk"][0] in ("ok", "look")
    assert "bad" not in found["workers"]
    assert code == int(any("bad" in states for states in found.values()))


def test_wrong_settings_are_each_named_without_their_values(
    environment: Callable[[Mapping[str, str]], None], tmp_path: Path
) -> None:
    environment({"DATABASE_URL": "mysql://root:hunter2@db/x", "SORAMI_LEASE_SECONDS": "soon"})
    found = examine(tmp_path)
    assert {finding.says.partition(":")[0] for finding in about(found, "settings")} == {
        "DATABASE_URL",
        "SORAMI_LEASE_SECONDS",
    }
    assert all(finding.state == "bad" and finding.do for finding in about(found, "settings"))
    assert "hunter2" not in str(found) and "soon" not in str(found)


def test_servers_that_do_not_answer_are_each_named(
    environment: Callable[[Mapping[str, str]], None], nobody_listens: int, tmp_path: Path
) -> None:
    environment(
        {
            "DATABASE_URL": f"postgresql://sorami:hunter2@127.0.0.1:{nobody_listens}/sorami",
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody_listens}",
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{nobody_listens}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
    )
    found = examine(tmp_path)
    for name in ("postgres", "kafka", "objects"):
        assert [finding.state for finding in about(found, name)] == ["bad"]
        assert f"127.0.0.1:{nobody_listens}" in about(found, name)[0].says
    assert "hunter2" not in str(found)


def test_nothing_that_runs_is_said_with_how_to_start_it(
    environment: Callable[[Mapping[str, str]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment({"SORAMI_HOME": str(tmp_path)})
    assert doctor.main([]) == 1
    assert "make up" in capsys.readouterr().out


def test_missing_secrets_are_missed_where_they_will_be() -> None:
    bare = {
        finding.about: finding for finding in missing_settings({"BACKEND_URL": "http://b", "ENVIRONMENT": "production"})
    }
    assert bare["sign-in"].state == "bad"
    assert bare["operators"].state == bare["secrets"].state == "look"
    said = str(missing_settings({"WEBHOOK_URL": "http://b"}))
    assert "WEBHOOK_SECRET" in said and "SORAMI_ENCRYPTION_KEYS" in said
    public = missing_settings({"ENVIRONMENT": "production", "SORAMI_PUBLIC_URL": "http://media.example.com"})
    assert any(finding.about == "address" for finding in public)
    assert any(finding.about == "providers" for finding in public)
    whole = {
        "SORAMI_OIDC_ISSUER": "https://i", "SORAMI_OPERATORS": "o", "SORAMI_ENCRYPTION_KEYS": "k", "FAL_KEY": "f",
    }  # fmt: skip
    assert [finding.state for finding in missing_settings(whole)] == ["ok"]


async def test_a_database_without_our_tables_wants_a_migration(empty: Database) -> None:
    (found,) = about(await database_of(empty), "migrations")
    assert found.state == "bad" and "sorami migrate" in str(found.do)


async def test_a_database_that_is_not_there_is_told_from_a_silent_server(migrated_once: Database) -> None:
    (found,) = await database_of(Database(migrated_once.url.rpartition("/")[0] + "/not_there"))
    assert found.state == "bad" and "lets nobody in" in found.says


async def test_a_login_that_may_not_take_the_roles_is_told(migrated: Database) -> None:
    migrated.execute("CREATE ROLE doctor_plain LOGIN")
    try:
        migrated.execute("GRANT USAGE ON SCHEMA sorami TO doctor_plain")
        migrated.execute("GRANT SELECT ON sorami.schema_migrations TO doctor_plain")
        (found,) = about(await database_of(migrated.with_user("doctor_plain")), "roles")
        assert found.state == "bad" and "sorami_gateway" in found.says and "--print-roles" in str(found.do)
    finally:
        migrated.execute("DROP OWNED BY doctor_plain; DROP ROLE doctor_plain")


async def test_services_that_are_not_there_are_told(migrated_once: Database) -> None:
    found = about(await database_of(migrated_once), "services")
    assert [finding.state for finding in found] == ["bad"] * 4
    assert "no notifier is connected" in str(found)


@pytest.mark.parametrize(("seconds", "state"), [(0.0, "ok"), (2.0, "look"), (-60.0, "bad")])
async def test_clocks_that_differ_are_told(migrated_once: Database, seconds: float, state: str) -> None:
    import time

    (found,) = about(await database_of(migrated_once, clock=lambda: time.time() + seconds), "clock")
    assert found.state == state


async def test_missing_and_narrow_topics_are_told(stack: Stack, topic_prefix: str) -> None:
    from sorami.doctor.broker import examine_broker

    settings = RuntimeSettings(
        database_url="postgresql://unused",
        kafka_bootstrap_servers=[stack.env["KAFKA_BOOTSTRAP_SERVERS"]],
        topic_prefix=topic_prefix,
    )
    few = type("Few", (), {"name": JOB_REQUESTED.name, "partitions": 2, "retention_ms": 3_600_000})()
    await ensure_topics(settings, [few], replication=1)
    found = await examine_broker(settings)
    topics = {finding.says: finding.state for finding in about(found, "topics")}
    assert topics[f"{topic_prefix}job.updated is missing"] == "bad"
    assert topics[f"{topic_prefix}job.requested has 2 partitions, 12 are declared"] == "look"
    assert topics[f"{topic_prefix}job.requested keeps records 1 hours, 168 are declared"] == "look"


async def test_a_bucket_that_is_not_there_and_a_key_that_is_wrong_are_told(
    stack: Stack, environment: Callable[[Mapping[str, str]], None]
) -> None:
    from services.runtime.settings import ObjectSettings
    from sorami.doctor.objects import examine_objects

    environment({**stack.env, "AWS_SECRET_ACCESS_KEY": "wrong"})
    found = await examine_objects(ObjectSettings())
    assert found.state == "bad" and "AWS_SECRET_ACCESS_KEY" in str(found.do)
    environment({**stack.env})
    assert (await examine_objects(ObjectSettings())).state == "ok"


@pytest.mark.parametrize(("free", "state"), [(10**12, "ok"), (700 * 2**20, "look"), (10 * 2**20, "bad")])
def test_a_disk_that_fills_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2 * 10**10, 0, free))
    assert examine_disk(tmp_path, objects=False).state == state


async def test_what_is_stuck_is_told_with_what_to_do(migrated: Database) -> None:
    clean = await work_of(migrated)
    assert [finding.about for finding in clean if finding.state == "bad"] == ["workers"]
    migrated.execute(
        """
        INSERT INTO sorami.workers (worker, slots, seen_at) VALUES ('a', '{"instant": 1}', now()),
            ('b', '{"instant": 1}', now() - interval '5 minutes');
        INSERT INTO sorami.outbox_gateway (topic, key, value, created_at)
            VALUES ('job.requested', 'k', '', now() - interval '5 minutes');
        INSERT INTO sorami.outbox_notifier (topic, key, value, created_at)
            VALUES ('notification.requested', 'k', '', now() - interval '30 seconds');
        INSERT INTO sorami.tasks (job_id, kind, owner_id, provider, model, request, state, due_at, lease_until)
        VALUES ('t1', 'image', 'o', 'veo', 'v', '{}', 'queued', now() - interval '1 hour', NULL),
               ('t2', 'image', 'o', 'instant', 'i', '{}', 'queued', now() - interval '1 hour', NULL),
               ('t3', 'image', 'o', 'instant', 'i', '{}', 'running', now(), now() - interval '10 minutes');
        INSERT INTO sorami.provider_health (provider, model, state, last_failure_code)
            VALUES ('fal', 'flux', 'open', 'quota');
        INSERT INTO sorami.pauses (scope, name, reason, paused_by) VALUES ('kind', 'video', 'too warm', 'ops');
        INSERT INTO sorami.dead_letters (topic, partition, "offset", consumer, reason)
            VALUES ('job.failed', 0, 1, 'p', 'r');
        INSERT INTO sorami.orphans (id, kind, job_id, status, payload, reason)
            VALUES ('o', 'image', 'j', 's', '{}', 'r');
        INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after)
            VALUES ('g', 'image', 'o', now() - interval '2 hours');
        INSERT INTO sorami.deliveries (id, endpoint, event_id, seq, type, payload, next_attempt_at)
            VALUES ('d', 'legacy:image', 'e', 1, 'job.completed', '{}', now() - interval '10 minutes');
        """
    )
    found = {(finding.about, finding.state) for finding in await work_of(migrated)}
    assert found == {
        ("outbox", "bad"),
        ("outbox", "look"),
        ("workers", "look"),
        ("tasks", "bad"),
        ("tasks", "look"),
        ("breakers", "look"),
        ("pauses", "look"),
        ("dead letters", "look"),
        ("orphans", "look"),
        ("purges", "look"),
        ("deliveries", "look"),
    }
    assert all(finding.do for finding in await work_of(migrated) if finding.state != "ok")
