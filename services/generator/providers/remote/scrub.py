"""Keys never leave in a provider's words: not the ones we sent, and nothing else that looks like one."""

import re
from collections.abc import Iterable
from typing import Final

MOST_WORDS: Final = 1_000
"""Characters of a provider's words that are kept."""
_SECRETS: Final = re.compile(
    r"(?i:\bbearer\s+[-._~+/=:\w]{8,})"
    r"|(?i:(?<=[?&])(?:key|token|signature|sig|x-amz-[a-z-]+|x-goog-[a-z-]+|policy)=[^\s\"'&<>]{6,})"
    r"|\b(?:sk|pk|r8|AIza|ghp|hf|xai)[-_][-_*A-Za-z0-9]{8,}|\bAIza[-_A-Za-z0-9]{12,}"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]+")


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without secrets and control characters, shortened; a key of ours is found in any place."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    return _CONTROL.sub(" ", _SECRETS.sub("***", text)).strip()[:MOST_WORDS]
