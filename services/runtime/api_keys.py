"""What an API key looks like: a part that may be shown, a part that is secret; only a hash of the whole is kept."""

import hashlib
import re
import secrets
import string

MARK = "sk_sorami_"
_LETTERS = string.ascii_letters + string.digits
_KEY = re.compile(r"sk_sorami_[0-9a-z]{8}_[0-9A-Za-z]{40}")


def new_key() -> tuple[str, str]:
    """Draw a key (238 random bits) and the prefix it is known by."""
    prefix = MARK + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(40))}", prefix


def is_key(text: str) -> bool:
    """Tell whether a text has the shape of a key."""
    return _KEY.fullmatch(text) is not None


def key_hash(key: str) -> bytes:
    """Return what is kept of a key; it is found by this, so no comparison tells how much of a guess was right."""
    return hashlib.sha256(key.encode()).digest()
