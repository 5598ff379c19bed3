"""What a provider calls when an operation moved: an address that names one attempt and proves that we gave it."""

import hmac
import re
from hashlib import sha256

_TOKEN = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.([1-9]\d{0,8})\.([0-9a-f]{64})")


def wake_token(job_id: str, attempt: int, submit_key: str) -> str:
    """Return the token of an attempt; the key it was submitted with, which only we and the provider have, signs it."""
    return f"{job_id}.{attempt}.{_proof(job_id, attempt, submit_key)}"


def read_wake_token(token: str) -> tuple[str, int] | None:
    """Return job and attempt that a token claims to be of, None when it is no token."""
    found = _TOKEN.fullmatch(token)
    return (found[1], int(found[2])) if found else None


def is_wake_token(token: str, submit_key: str) -> bool:
    """Tell whether a token was made with this key; takes as long for a wrong one."""
    claimed = read_wake_token(token)
    return claimed is not None and hmac.compare_digest(token, wake_token(*claimed, submit_key))


def wake_path(provider: str, token: str) -> str:
    """Return the path of the gateway under which a provider calls."""
    return f"/api/webhooks/providers/{provider}/{token}"


def _proof(job_id: str, attempt: int, submit_key: str) -> str:
    return hmac.new(submit_key.encode(), f"wake {job_id} {attempt}".encode(), sha256).hexdigest()
