"""The settings of a running stack, for services and for a shell."""

import subprocess
from pathlib import Path

import pytest

from sorami.local import environment, secrets
from sorami.local.given import Given
from sorami.local.home import Home
from sorami.local.postgres import Postgres
from sorami.local.seaweed import PORTS, Seaweed
from sorami.local.secrets import Secrets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "a home")
    home.make()
    return home


@pytest.fixture
def own(home: Home) -> Secrets:
    return secrets.load_or_make(home)


def build(home: Home, own: Secrets, **settings: str) -> dict[str, str]:
    postgres = Postgres(home, own, 15_432)
    seaweed = Seaweed(home, own, dict(zip(PORTS, range(12_000, 12_010), strict=False)), "sorami")
    return environment.build(home, Given(settings), own, {}, postgres, None, seaweed)


def test_embedded_servers_are_told_with_their_keys(home: Home, own: Secrets) -> None:
    env = build(home, own)
    assert env["DATABASE_URL"] == f"postgresql://postgres:{own.postgres_password}@127.0.0.1:15432/sorami"
    assert env["S3_ENDPOINT_URL"] == "http://127.0.0.1:12000"
    assert env["AWS_SECRET_ACCESS_KEY"] == own.s3_secret_key
    assert env["SORAMI_URL"] == env["SORAMI_PUBLIC_URL"] == "http://127.0.0.1:9006"
    assert env["WEBHOOK_SECRET"] == own.webhook_secret
    assert env["SORAMI_JWKS_URL"].startswith("file:///")


def test_a_developers_shell_does_not_bend_the_embedded_servers(home: Home, own: Secrets) -> None:
    env = build(home, own, AWS_SESSION_TOKEN="old", AWS_ACCESS_KEY_ID="mine", PGHOST="elsewhere", PGSSLMODE="require")
    assert not {"AWS_SESSION_TOKEN", "PGHOST", "PGSSLMODE"} & set(env)
    assert env["AWS_ACCESS_KEY_ID"] == own.s3_access_key


def test_what_is_given_stays(home: Home, own: Secrets) -> None:
    env = build(home, own, WEBHOOK_SECRET="ours", SORAMI_PORT="9100", SORAMI_JWT_ISSUER="https://id.example")
    assert env["WEBHOOK_SECRET"] == "ours"
    assert env["SORAMI_PUBLIC_URL"] == "http://127.0.0.1:9100"
    assert "SORAMI_JWKS_URL" not in env


def test_the_shell_gets_every_name(home: Home, own: Secrets) -> None:
    env = {**build(home, own), "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    values = environment.for_shell(env, "a.b.c")
    assert tuple(values) == environment.SHELL
    assert (values["PGDATABASE"], values["PGPORT"], values["SORAMI_TOKEN"]) == ("sorami", "15432", "a.b.c")


def test_export_lines_are_read_by_a_shell_and_by_us(home: Home, own: Secrets) -> None:
    env = {**build(home, own), "WEBHOOK_SECRET": "with 'quotes' and $signs"}
    text = environment.write_exports(home, env, "a.b.c", own_database=True)
    script = f'{text}{text}printf "%s\\n" "$WEBHOOK_SECRET" "$PATH"'
    secret, path = subprocess.run(
        ["sh", "-c", script], env={"PATH": "/bin"}, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert secret == "with 'quotes' and $signs"
    assert path.endswith(":/bin")
    assert path.count("pginstall/bin") == 1
    assert environment.read_exports(home.env)["WEBHOOK_SECRET"] == secret
    assert home.env.stat().st_mode & 0o777 == 0o600


def test_a_fresh_token_replaces_the_old_one(home: Home, own: Secrets) -> None:
    environment.write_exports(home, build(home, own), "old", own_database=False)
    text = environment.refresh_exports(home, "new", environment.read_exports(home.env))
    assert "export SORAMI_TOKEN=new\n" in text
    assert home.env.read_text() == text
