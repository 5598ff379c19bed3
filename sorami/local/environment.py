"""The settings of a running stack: for its services, and as `export` lines for a shell."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sorami.local import identity
from sorami.local.given import BROKER, DATABASE, OBJECTS, Given
from sorami.local.home import Home, write_private
from sorami.local.kafka import Kafka
from sorami.local.postgres import Postgres, programs
from sorami.local.seaweed import REGION, Seaweed
from sorami.local.secrets import Secrets

GATEWAY_PORT = 9006
FRONT_END = "localhost:3000"
BUCKET = "sorami"
# Leftovers in a shell that would bend connections to the embedded servers.
FOREIGN_DATABASE = ("PG",)
FOREIGN_BROKER = ("KAFKA_SECURITY_", "KAFKA_SASL_", "KAFKA_SSL_")
FOREIGN_OBJECTS = ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "S3_PUBLIC_ENDPOINT_URL")
SHELL = (
    "SORAMI_URL",
    "SORAMI_TOKEN",
    "DATABASE_URL",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "KAFKA_BOOTSTRAP_SERVERS",
    "S3_ENDPOINT_URL",
    "S3_BUCKET",
    "S3_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "WEBHOOK_SECRET",
)


def build(
    home: Home,
    given: Given,
    secrets: Secrets,
    ports: Mapping[str, int],
    postgres: Postgres | None,
    kafka: Kafka | None,
    seaweed: Seaweed | None,
) -> dict[str, str]:
    """The whole environment of a service of this stack: what is given, and ours where nothing is."""
    env = dict(given.settings)
    if postgres is not None:
        _drop(env, FOREIGN_DATABASE)
        env[DATABASE] = postgres.url
    if kafka is not None:
        _drop(env, FOREIGN_BROKER)
        env[BROKER] = kafka.bootstrap
    if seaweed is not None:
        _drop(env, FOREIGN_OBJECTS)
        env[OBJECTS] = seaweed.url
        env["S3_BUCKET"] = seaweed.bucket.name
        env["S3_REGION"] = env["AWS_DEFAULT_REGION"] = REGION
        env["AWS_ACCESS_KEY_ID"] = secrets.s3_access_key
        env["AWS_SECRET_ACCESS_KEY"] = secrets.s3_secret_key
    _fill(env, home, secrets, ports)
    return env


def _fill(env: dict[str, str], home: Home, secrets: Secrets, ports: Mapping[str, int]) -> None:
    for name, port in ports.items():
        env[name] = str(port)
    env.setdefault("ENVIRONMENT", "development")
    env.setdefault("SORAMI_HOST", "127.0.0.1")
    env.setdefault("SORAMI_PORT", str(GATEWAY_PORT))
    public = f"http://{reachable(env['SORAMI_HOST'])}:{env['SORAMI_PORT']}"
    env.setdefault("SORAMI_PUBLIC_URL", public)
    env["SORAMI_URL"] = public
    env.setdefault("SORAMI_NOTIFIER_HOST", "127.0.0.1")
    if "SORAMI_NOTIFIER_PORT" in env:
        env.setdefault(
            "SORAMI_NOTIFIER_URL", f"http://{reachable(env['SORAMI_NOTIFIER_HOST'])}:{env['SORAMI_NOTIFIER_PORT']}"
        )
    if "SORAMI_JWT_ISSUER" not in env and "CLERK_ISSUER" not in env:
        env["SORAMI_JWT_ISSUER"] = identity.ISSUER
        env["SORAMI_JWKS_URL"] = (home.issuer / "jwks.json").as_uri()
        # Whoever holds this machine's key runs this machine's system.
        env.setdefault("SORAMI_OPERATORS", identity.USER)
    env.setdefault("WEBHOOK_SECRET", secrets.webhook_secret)
    env.setdefault("SORAMI_ENCRYPTION_KEYS", f"local:{secrets.encryption_key}")
    env.setdefault("SORAMI_CORS_ORIGINS", f"http://{FRONT_END}")
    env.setdefault("SORAMI_ALLOW_HOSTS", FRONT_END)
    env.setdefault("S3_BUCKET", BUCKET)
    env.setdefault("S3_REGION", REGION)


def reachable(host: str) -> str:
    """Where a server that listens on `host` is reached from this machine."""
    if host in ("", "0.0.0.0", "::", "*"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _drop(env: dict[str, str], prefixes: tuple[str, ...]) -> None:
    for name in [name for name in env if name.startswith(prefixes)]:
        del env[name]


def for_shell(env: Mapping[str, str], token: str) -> dict[str, str]:
    """What a person's shell gets: addresses, keys and a fresh token."""
    database = urlsplit(env.get(DATABASE, ""))
    values = {
        **env,
        "SORAMI_TOKEN": token,
        "PGHOST": database.hostname or "",
        "PGPORT": str(database.port or 5432),
        "PGUSER": unquote(database.username or ""),
        "PGPASSWORD": unquote(database.password or ""),
        "PGDATABASE": database.path.lstrip("/"),
    }
    return {name: values[name] for name in SHELL if values.get(name)}


def write_exports(home: Home, env: Mapping[str, str], token: str, own_database: bool) -> str:
    """Writes and answers lines for `eval`. The folders go to the front of PATH once, however often they are read."""
    folders = [Path(sys.executable).parent, home.bin, *([programs() / "bin"] if own_database else [])]
    ours = ":".join(str(folder) for folder in folders)
    path = f'case ":$PATH:" in *{shlex.quote(f":{ours}:")}*) ;; *) export PATH={shlex.quote(ours)}:"$PATH" ;; esac'
    lines = [path, *(f"export {name}={shlex.quote(value)}" for name, value in for_shell(env, token).items())]
    text = "\n".join(lines) + "\n"
    write_private(home.env, text, durable=False)
    return text


def refresh_exports(home: Home, token: str, known: Mapping[str, str]) -> str:
    """The same lines with another token."""
    text = home.env.read_text().replace(known["SORAMI_TOKEN"], token)
    write_private(home.env, text, durable=False)
    return text


def read_exports(path: Path) -> dict[str, str]:
    """The values of the `export` lines of a running stack."""
    values = {}
    for line in path.read_text().splitlines():
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            values[name] = shlex.split(value)[0]
    return values
