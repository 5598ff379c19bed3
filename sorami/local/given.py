"""What the user gives: the environment over `.env`. A given address is used, and its server is not started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sorami.local.home import Home, read_json, write_json

DATABASE, BROKER, OBJECTS = "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "S3_ENDPOINT_URL"
ADDRESSES = (DATABASE, BROKER, OBJECTS)
REMEMBERED = 60


@dataclass(frozen=True)
class Given:
    """The settings of this start; addresses of this folder's own stack are taken out."""

    settings: Mapping[str, str]

    @property
    def database(self) -> str | None:
        return self.settings.get(DATABASE) or None

    @property
    def broker(self) -> str | None:
        return self.settings.get(BROKER) or None

    @property
    def objects(self) -> str | None:
        return self.settings.get(OBJECTS) or None


def read(home: Home, environ: Mapping[str, str], project: Path) -> Given:
    settings = {**read_dotenv(project / ".env"), **environ}
    own = set(read_json(home.addresses).get("addresses", []))
    return Given({name: value for name, value in settings.items() if name not in ADDRESSES or value not in own})


def read_dotenv(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def remember_own(home: Home, addresses: Mapping[str, str]) -> None:
    """Every address this folder ever told: a shell may still hold one from before a port moved."""
    known = list(read_json(home.addresses).get("addresses", []))
    fresh = [addresses[name] for name in ADDRESSES if name in addresses and addresses[name] not in known]
    if fresh:
        write_json(home.addresses, {"addresses": (known + fresh)[-REMEMBERED:]})


def current_environment() -> dict[str, str]:
    return dict(os.environ)
