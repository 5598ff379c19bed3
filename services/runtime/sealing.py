"""Secrets at rest: AES-256-GCM under a key that only the environment holds; the sealed text names its key."""

import base64
import binascii
import os
import re
from collections.abc import Sequence

_KEY_ID = re.compile(r"^[A-Za-z0-9_-]{1,32}$")
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed text that no key of ours opens, or that was moved from another place."""


class Sealer:
    """Seals with the first key and opens with any."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._current = keys[0][0]
        self._ciphers = {name: AESGCM(key) for name, key in keys}

    def seal(self, secret: bytes, place: str) -> str:
        """Return the secret sealed for one place, e.g. the id of its row; only there it can be opened."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._ciphers[self._current].encrypt(nonce, secret, place.encode())
        return f"{self._current}:{base64.b64encode(sealed).decode()}"

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return self._current

    def open(self, sealed: str, place: str) -> bytes:
        """Return the secret; raises SealBroken."""
        from cryptography.exceptions import InvalidTag

        name, _, text = sealed.partition(":")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealBroken(f"no key {name} is configured")
        try:
            raw = base64.b64decode(text, validate=True)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise SealBroken(f"key {name} does not open this") from None


def parse_keys(text: str) -> list[tuple[str, bytes]]:
    """Read `id:base64,…`, each key of 32 bytes; raises ValueError without the value."""
    keys: list[tuple[str, bytes]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            key = b""
        if not _KEY_ID.match(name) or len(key) != 32 or name in dict(keys):
            raise ValueError("must be id:key pairs, each key 32 bytes in base64, no id twice, separated by commas")
        keys.append((name, key))
    if not keys:
        raise ValueError("holds no key; leave it out, or give id:base64")
    return keys
