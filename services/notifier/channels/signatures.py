"""How deliveries prove where they come from: Standard Webhooks' `v1` (HMAC-SHA256) and `v1a` (ed25519)."""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

HMAC, ED25519, SHARED, ADDRESS = "hmac", "ed25519", "shared", "address"
LEAST_BYTES, MOST_BYTES = 24, 64
_SHARED = re.compile(r"^[\x21-\x7e]{24,256}$")
# Printed in the seeds' documents and in the specification's examples: everybody knows them.
_KNOWN = frozenset({"sorami-webhook-secret-key-2025", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})


class SecretWeak(ValueError):
    """A secret of somebody's own that is too short, too long, not of its form, or known to all."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in the clear. `raw` signs; for `shared` it is what the header carries, for `address` a channel's."""

    scheme: str
    raw: bytes
    public_key: str | None = None

    @property
    def shown(self) -> str:
        """How it is shown, once, to whoever made it."""
        if self.scheme in (SHARED, ADDRESS):
            return self.raw.decode()
        return "whsec_" + base64.b64encode(self.raw).decode()


def new_hmac() -> Secret:
    return Secret(HMAC, secrets.token_bytes(32))


def new_shared() -> Secret:
    return Secret(SHARED, secrets.token_urlsafe(32).encode())


def new_ed25519() -> Secret:
    """Make a key pair; the private key never leaves us."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return Secret(ED25519, key.private_bytes_raw(), f"whpk_{public}")


def own_hmac(text: str) -> Secret:
    """Take somebody's own `whsec_` secret; raises SecretWeak."""
    try:
        raw = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        raise SecretWeak from None
    if text in _KNOWN or not text.startswith("whsec_") or not LEAST_BYTES <= len(raw) <= MOST_BYTES:
        raise SecretWeak
    return Secret(HMAC, raw)


def own_shared(text: str) -> Secret:
    """Take somebody's own secret for the seeds' header; raises SecretWeak."""
    if text in _KNOWN or not _SHARED.match(text) or len(set(text)) < 8:
        raise SecretWeak
    return Secret(SHARED, text.encode())


def signature(secrets_: Sequence[Secret], webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature` of these very bytes: one entry for every secret."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return " ".join(_entry(secret, signed) for secret in secrets_ if secret.scheme in (HMAC, ED25519))


def _entry(secret: Secret, signed: bytes) -> str:
    if secret.scheme == HMAC:
        return "v1," + base64.b64encode(hmac.digest(secret.raw, signed, sha256)).decode()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    made = Ed25519PrivateKey.from_private_bytes(secret.raw).sign(signed)
    return "v1a," + base64.b64encode(made).decode()
