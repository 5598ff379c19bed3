"""Answers that need not be sent twice: a weak ETag over the body, 304 for whoever has this very body."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def has_version(if_none_match: str | None, etag: str) -> bool:
    """Tell whether an If-None-Match header names this version; compared weakly, as RFC 9110 wants for reads."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _TAG.findall(if_none_match)


def answer(
    request: Request, body: Any, *, by_language: bool = False, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a JSON body that is the caller's own, or with 304 when the caller has it."""
    content = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:27]}"'
    always = {
        **(headers or {}),
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Cookie, Accept-Language" if by_language else "Authorization, Cookie",
    }
    if has_version(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=always)
    return Response(content, media_type="application/json", headers=always)
