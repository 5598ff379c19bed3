"""The one id: a Prisma-style cuid (version 1), minted once at the gateway, and what a client's own id may look like."""

import os
import re
import secrets
import threading
import time
from datetime import UTC, datetime
from typing import NewType

JobId = NewType("JobId", str)
UserId = NewType("UserId", str)

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BLOCK = 36**4
_CUID = re.compile(r"c[0-9a-z]{24}")
# A client's own id becomes an object key and a Kafka key: letters, digits, `_` and `-`, so never a path.
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits


class CuidMint:
    """Mints cuids that only grow within this process: `c`, 8 of milliseconds, 4 counter, 4 fingerprint, 8 random.

    The layout is that of Prisma's `cuid()`; the counter continues when the clock stands still or is set back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = 0
        self.renew()

    def renew(self) -> None:
        """Draw a new fingerprint and counter; called after a fork so that two processes never share them."""
        self._lock = threading.Lock()
        self._counter = secrets.randbelow(_BLOCK // 2)
        self._fingerprint = _base36(secrets.randbelow(_BLOCK), 4)

    def mint(self) -> str:
        """Return a new id, greater than every id this process minted before."""
        with self._lock:
            now = time.time_ns() // 1_000_000
            self._counter += 1
            if now > self._millisecond:
                self._millisecond = now
                self._counter %= _BLOCK
            elif self._counter >= _BLOCK:
                self._millisecond += 1
                self._counter = 0
            head = _base36(self._millisecond, 8) + _base36(self._counter, 4)
        return f"c{head}{self._fingerprint}{_base36(secrets.randbits(42), 8)}"


_mint = CuidMint()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mint.renew)


def new_id() -> str:
    """Mint an id of 25 characters."""
    return _mint.mint()


def is_cuid(text: str) -> bool:
    """Tell whether the text has the shape of a cuid."""
    return _CUID.fullmatch(text) is not None


def is_safe_id(text: str) -> bool:
    """Tell whether a client or a backend may bring this id: 1 to 64 letters, digits, `_` or `-`."""
    return _CLIENT_ID.fullmatch(text) is not None


def minted_at(cuid: str) -> datetime:
    """Read the time of minting, to the millisecond, out of a cuid; raises ValueError for any other text."""
    if not is_cuid(cuid):
        raise ValueError(f"not a cuid: {cuid[:32]!r}")
    return datetime.fromtimestamp(int(cuid[1:9], 36) / 1000, tz=UTC)


def new_token(entropy_bytes: int = 18) -> str:
    """Draw an unguessable token, safe in a URL (144 bits by default)."""
    return secrets.token_urlsafe(entropy_bytes)
