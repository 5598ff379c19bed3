"""A wrong setting is one clear line that names it and never shows its value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer

ROOT = Path(__file__).parents[3]


def start(service: str, **settings: str) -> tuple[int, str]:
    """Start a service with these settings alone and return its exit code and what it said."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | settings
    done = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-m", f"services.{service}"], env=env, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    return done.returncode, done.stdout + done.stderr


def test_all_wrong_settings_are_told_at_once_without_their_values() -> None:
    code, said = start(
        "gateway",
        DATABASE_URL="postgres:u:pw-s3cret@h",
        KAFKA_BOOTSTRAP_SERVERS="a,b:99999",
        SORAMI_PORT="ninety",
        SORAMI_ORPHANS="maybe",
    )
    assert code == 78
    for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "SORAMI_PORT", "SORAMI_ORPHANS"):
        assert f"config error: {name}: " in said
    assert len(said.splitlines()) == 4
    assert "s3cret" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("service", ["gateway", "generator", "persistence", "notifier"])
def test_a_missing_database_is_named(service: str) -> None:
    code, said = start(service)
    assert (code, said) == (78, "config error: DATABASE_URL: is required and not set\n")


def test_a_sign_in_that_is_half_configured_is_named() -> None:
    code, said = start(
        "gateway",
        DATABASE_URL="postgresql://h/d",
        SORAMI_OIDC_ISSUER="https://issuer.example",
        SORAMI_OPERATOR_ROLES="org_1:admin,admin",
    )
    assert (code, set(said.splitlines())) == (
        78,
        {
            "config error: SORAMI_OIDC_CLIENT_ID: is required when SORAMI_OIDC_ISSUER is set",
            "config error: SORAMI_OPERATOR_ROLES: each must be organisation:role, separated by commas",
        },
    )


def test_a_client_certificate_that_is_half_given_or_absent_is_named(tmp_path: Path) -> None:
    certificate = tmp_path / "tls.crt"
    certificate.touch()
    code, said = start(
        "persistence",
        DATABASE_URL="postgresql://h/d",
        KAFKA_SSL_CAFILE=str(tmp_path / "ca.crt"),
        KAFKA_SSL_CERTFILE=str(certificate),
    )
    assert (code, set(said.splitlines())) == (
        78,
        {
            "config error: KAFKA_SSL_CAFILE: names a file that is not there or may not be read",
            "config error: KAFKA_SSL_KEYFILE: is set together with KAFKA_SSL_CERTFILE or not at all",
        },
    )


def test_a_database_that_does_not_let_us_in_is_one_line(postgres: PostgresServer) -> None:
    code, said = start("persistence", DATABASE_URL=postgres.url("nowhere"))
    assert (code, said) == (78, 'config error: DATABASE_URL: database "nowhere" does not exist\n')
    code, said = start("persistence", SORAMI_PERSISTENCE_DATABASE_URL=postgres.url("postgres", "nobody"))
    assert (code, said) == (78, 'config error: SORAMI_PERSISTENCE_DATABASE_URL: role "nobody" does not exist\n')
