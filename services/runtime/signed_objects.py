"""The bucket without an S3 client: a few calls by addresses that this process signs for itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.runtime.signed_urls import UrlSigner

CHUNK = 64 * 1024


class ObjectAbsent(Exception):
    """There is no object under this key."""


class ObjectStoreAway(OSError):
    """The object store did not answer as it should; trying again later can help."""


class SignedObjects:
    """Reads and deletes objects; the connection is made by the first call."""

    def __init__(self, signer: UrlSigner) -> None:
        self._signer = signer
        self._client: Any = None

    def _http(self) -> Any:
        if self._client is None:
            import httpx

            self._client = httpx.AsyncClient(timeout=30, trust_env=False, follow_redirects=False)
        return self._client

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an object as chunks of at most CHUNK bytes; raises ObjectAbsent, or ObjectStoreAway."""
        import httpx

        try:
            async with self._http().stream("GET", self._signer.sign_call("GET", key)) as answer:
                if answer.status_code == 404:
                    raise ObjectAbsent(key)
                if answer.status_code != 200:
                    raise ObjectStoreAway(f"the object store answered {answer.status_code}")
                yield answer.aiter_raw(CHUNK)
        except httpx.HTTPError as error:
            raise ObjectStoreAway(type(error).__name__) from error

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there counts as deleted. Raises ObjectStoreAway."""
        import httpx

        try:
            answer = await self._http().request("DELETE", self._signer.sign_call("DELETE", key))
        except httpx.HTTPError as error:
            raise ObjectStoreAway(type(error).__name__) from error
        if answer.status_code not in (200, 204, 404):
            raise ObjectStoreAway(f"the object store answered {answer.status_code}")

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
