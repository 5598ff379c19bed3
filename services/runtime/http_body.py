"""Request bodies: JSON only, never compressed, cut at a limit before anything is parsed."""

import asyncio
from typing import Any

from starlette.requests import Request

from services.runtime.problems import Problem
from services.runtime.strict_json import JsonRefused, parse_object

BODY_SECONDS = 30.0
LINGER_BYTES = 32 * 1024 * 1024
"""Heard and dropped beyond the limit: a peer that is cut off while it sends loses our answer with the connection."""
_STATUS = {"body_not_object": 422}


async def read_bytes(request: Request, *, limit: int) -> bytes:
    """Read a body of at most `limit` bytes that comes in time; raises Problem."""
    too_large = Problem(
        413, "body_too_large", f"the body is larger than {limit} bytes", headers={"Connection": "close"}
    )
    declared = request.headers.get("content-length", "")
    is_large = declared.isdigit() and int(declared) > limit
    if is_large and "expect" in request.headers:
        raise too_large
    body = bytearray()
    heard = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                heard += len(chunk)
                if heard > limit + LINGER_BYTES:
                    break
                if heard <= limit:
                    body += chunk
    except TimeoutError:
        if heard > limit:
            raise too_large from None
        raise Problem(
            408,
            "body_timeout",
            f"the body did not come within {BODY_SECONDS:g} seconds; send it again",
            headers={"Connection": "close"},
        ) from None
    if is_large or heard > limit:
        raise too_large
    return bytes(body)


async def read_object(request: Request, *, limit: int) -> dict[str, Any]:
    """Read a JSON object of at most `limit` bytes; raises Problem."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Problem(415, "content_type_unsupported", "send the body as application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "content_encoding_unsupported", "send the body without content-encoding")
    try:
        return parse_object(await read_bytes(request, limit=limit))
    except JsonRefused as error:
        raise Problem(_STATUS.get(error.code, 400), error.code, error.detail) from None
