"""The development issuer: an RS256 key made once, tokens for the local user, one-use sign-in links."""

import base64
import hashlib
import json
import secrets
import time
from typing import Any

from sorami.local.errors import NotRunning
from sorami.local.home import Home, write_private

ISSUER = "urn:sorami:local"
USER = "user_local"
TOKEN_SECONDS = 12 * 3600
TICKET_SECONDS = 600


def make(home: Home) -> None:
    """Makes the key pair and the public `jwks.json` that the services check tokens with."""
    if (home.issuer / "jwks.json").exists() and (home.issuer / "private.pem").exists():
        return
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_numbers()
    # RFC 7638: the key's own thumbprint names it.
    required = {"e": _number(public.e), "kty": "RSA", "n": _number(public.n)}
    digest = hashlib.sha256(json.dumps(required, sort_keys=True, separators=(",", ":")).encode()).digest()
    jwk = {**required, "kid": _text(digest), "alg": "RS256", "use": "sig"}
    write_private(home.issuer / "private.pem", pem.decode())
    write_private(home.issuer / "jwks.json", json.dumps({"keys": [jwk]}, indent=1) + "\n")


def token(home: Home, user: str = USER, seconds: int = TOKEN_SECONDS, **claims: Any) -> str:
    """A bearer token of the local user; `claims` are those of an organisation and the like."""
    return _sign(home, {"sub": user, **claims}, seconds)


def ticket(home: Home, user: str = USER) -> str:
    """What a sign-in link carries; the gateway takes it once."""
    return _sign(home, {"sub": user, "use": "signin", "jti": secrets.token_urlsafe(18)}, TICKET_SECONDS)


def _sign(home: Home, claims: dict[str, Any], seconds: int) -> str:
    import jwt

    try:
        key = (home.issuer / "private.pem").read_text()
        kid = json.loads((home.issuer / "jwks.json").read_text())["keys"][0]["kid"]
    except FileNotFoundError as error:
        raise NotRunning(f"no issuer in {home.root} yet; start the stack first: make up") from error
    now = int(time.time())
    return jwt.encode(
        {"iss": ISSUER, "iat": now, "nbf": now, "exp": now + seconds, **claims},
        key,
        algorithm="RS256",
        headers={"kid": kid},
    )


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
