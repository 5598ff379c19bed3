"""Signatures: the published vector, the reference library, and a verifier of ten lines that is nobody's library."""

import base64
import hmac
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from services.notifier.channels.signatures import (
    Secret,
    SecretWeak,
    new_ed25519,
    new_hmac,
    new_shared,
    own_hmac,
    own_shared,
    signature,
)

BODY = b'{"test": 2432232314}'
NAME = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIME = 1614265330


def own_verifier(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, sha256).digest())
    for entry in headers["webhook-signature"].split():
        version, _, given = entry.partition(",")
        if version == "v1" and hmac.compare_digest(given.encode(), expected):
            return True
    return False


def test_the_published_vector_is_signed_as_published() -> None:
    secret = Secret("hmac", base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    assert signature([secret], NAME, TIME, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_valid_secret_verifies_during_a_rotation() -> None:
    old, new = new_hmac(), new_hmac()
    now = int(datetime.now(UTC).timestamp())
    headers = {"webhook-id": NAME, "webhook-timestamp": str(now)}
    headers["webhook-signature"] = signature([new, new_ed25519(), old], NAME, now, BODY)
    for secret in (old, new):
        Webhook(secret.shown).verify(BODY.decode(), headers)
        assert own_verifier(secret.shown, headers, BODY)
    assert not own_verifier(new_hmac().shown, headers, BODY)
    assert not own_verifier(new.shown, headers, BODY.replace(b" ", b""))


def test_an_ed25519_signature_verifies_with_the_public_key_that_is_shown() -> None:
    secret = new_ed25519()
    made = signature([secret], NAME, TIME, BODY)
    assert made.startswith("v1a,")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode((secret.public_key or "").removeprefix("whpk_")))
    public.verify(base64.b64decode(made.removeprefix("v1a,")), f"{NAME}.{TIME}.".encode() + BODY)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(made.removeprefix("v1a,")), f"{NAME}.{TIME}.".encode() + b"{}")


def test_a_shared_secret_signs_nothing() -> None:
    assert signature([new_shared()], NAME, TIME, BODY) == ""


def test_own_secrets_are_taken_as_they_are() -> None:
    text = "whsec_" + base64.b64encode(bytes(range(24))).decode()
    assert own_hmac(text).shown == text
    shared = "a-shared-secret-of-our-own"
    assert own_shared(shared).shown == shared


@pytest.mark.parametrize(
    "text", ["", "sorami-webhook-secret-key-2025", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "short", "é" * 30]
)
def test_weak_shared_secrets_are_refused(text: str) -> None:
    with pytest.raises(SecretWeak):
        own_shared(text)
