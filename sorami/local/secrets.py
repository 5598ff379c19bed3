"""Secrets made once in the data folder and kept: passwords, object-store keys, and what signs and seals."""

import base64
import secrets
import uuid
from dataclasses import asdict, dataclass

from sorami.local.home import Home, read_json, write_json


@dataclass(frozen=True)
class Secrets:
    postgres_password: str
    s3_access_key: str
    s3_secret_key: str
    webhook_secret: str
    encryption_key: str
    kafka_cluster_id: str

    def __repr__(self) -> str:
        return "Secrets(***)"

    @classmethod
    def new(cls) -> "Secrets":
        return cls(
            postgres_password=secrets.token_urlsafe(24),
            s3_access_key="SORAMI" + secrets.token_hex(7).upper(),
            s3_secret_key=secrets.token_urlsafe(30),
            webhook_secret=secrets.token_urlsafe(32),
            encryption_key=base64.b64encode(secrets.token_bytes(32)).decode(),
            kafka_cluster_id=_cluster_id(),
        )


def _cluster_id() -> str:
    """22 characters of base64 as Kafka wants them; a leading dash would read as an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text


def load_or_make(home: Home) -> Secrets:
    """The folder's secrets; what an older version did not have yet is added."""
    kept = read_json(home.secrets)
    fields = asdict(Secrets.new())
    merged = {name: str(kept.get(name, fresh)) for name, fresh in fields.items()}
    if merged != kept:
        write_json(home.secrets, merged)
    return Secrets(**merged)
