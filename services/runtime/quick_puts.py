"""New objects put by one signed request of our own: botocore spends ten times as long on each.

Only the plain case is ours. Whatever else the store answers, botocore is asked the same again, which is harmless: keys
are written once, and the same bytes count as written.
"""

import hashlib
import hmac
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

CACHE_CONTROL = "private, max-age=31536000, immutable"
LARGE = 512 * 1024
"""Bytes from which a body is sent in pieces."""
GIVE_WAY_SECONDS = 30.0
"""For which botocore alone is asked after an answer that was not expected."""


class QuickPuts:
    """Puts objects under the address of a bucket; made by `open_quick_puts`."""

    def __init__(self, session: Any, address: str, region: str, credentials: Any) -> None:
        self._session = session
        self._region = region
        self._credentials = credentials
        parts = urlsplit(address)
        self._origin, self._host, self._folder = f"{parts.scheme}://{parts.netloc}", parts.netloc, parts.path
        self._not_before = 0.0

    async def put(self, key: str, body: bytes, content_type: str, sha256: str) -> bool:
        """Write a new object; False when that must be tried by other means."""
        import aiohttp
        from yarl import URL

        if self._credentials is None or time.monotonic() < self._not_before:
            return False
        path = f"{self._folder}/{quote(key, safe='/-_.~')}"
        try:
            headers = self._headers(await self._credentials.get_frozen_credentials(), path, content_type, sha256)
            data: Any = body if len(body) < LARGE else io.BytesIO(body)
            address = URL(self._origin + path, encoded=True)
            async with self._session.put(address, data=data, headers=headers, allow_redirects=False) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError):
            self._not_before = time.monotonic() + GIVE_WAY_SECONDS
            return False
        if answer.status in (200, 412):
            return bool(answer.status == 200)  # under 412 may lie the same bytes
        self._not_before = time.monotonic() + GIVE_WAY_SECONDS
        return False

    def _headers(self, credentials: Any, path: str, content_type: str, sha256: str) -> dict[str, str]:
        """Return the headers of a request, signed (SigV4); the hash binds the body to them, where a store checks it."""
        now = datetime.now(UTC)
        moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {
            "cache-control": CACHE_CONTROL,
            "content-type": content_type,
            "host": self._host,
            "if-none-match": "*",
            "x-amz-content-sha256": sha256,
            "x-amz-date": moment,
            "x-amz-meta-sha256": sha256,
        }
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = hashlib.sha256(f"PUT\n{path}\n\n{lines}\n{names}\n{sha256}".encode()).hexdigest()
        scope = f"{day}/{self._region}/s3/aws4_request"
        key = _signing_key(credentials.secret_key, day, self._region)
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{request}".encode(), "sha256").hex()
        credential = f"{credentials.access_key}/{scope}"
        signed = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return headers | {"authorization": signed}


@lru_cache(maxsize=4)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _is_proxied(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in getproxies() and not proxy_bypass(parts.netloc)


@asynccontextmanager
async def open_quick_puts(address: str, region: str, credentials: Any, *, connections: int) -> AsyncIterator[QuickPuts]:
    """Open the connections to the bucket at `address`; nothing is sent before the first put."""
    import aiohttp

    # Who reaches the store by a proxy leaves everything to botocore, which knows how.
    if _is_proxied(address):
        credentials = None

    limits = aiohttp.TCPConnector(limit=connections, keepalive_timeout=12)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
    # Types and encodings that aiohttp would add by itself would not be signed.
    plain = ("accept-encoding", "user-agent")
    async with aiohttp.ClientSession(connector=limits, timeout=timeout, skip_auto_headers=plain) as session:
        yield QuickPuts(session, address, region, credentials)
