"""Read the bytes of a shared file through the gateway, so that no address outlives the share."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from contracts.kinds import KINDS
from contracts.media import POSTER_EXTENSION
from services.gateway.queries.library import SharedFile
from services.gateway.usecases.share_media import MediaGone, OpenedMedia, thumbnails_of
from services.runtime.addresses import AddressRefused, check_url
from services.runtime.guarded_http import GuardedTransport
from services.runtime.signed_urls import UrlSigner

_ASKED = ("range", "if-range")
_TOLD = ("content-length", "content-range", "etag", "last-modified")
# Shown as they are; anything else is saved under its name, since a page in it would run as one of ours.
_SHOWN = frozenset({kind_type for kind in KINDS.values() for kind_type in kind.formats.values()} | {"image/gif"})
_THUMBNAIL_TYPES = {"webp": "image/webp", "avif": "image/avif", "jpeg": "image/jpeg", "jpg": "image/jpeg"}


class MediaUnavailable(Exception):
    """The object store, or the foreign address of an application's file, does not answer."""


class SharedMedia:
    """Streams objects from their store by signed addresses, and an application's own files through the guard."""

    def __init__(self, signer: UrlSigner) -> None:
        self._signer = signer
        self._clients: dict[bool, Any] = {}

    async def open(self, file: SharedFile, filename: str, headers: Mapping[str, str]) -> OpenedMedia:
        """Begin to read a file; raises MediaGone or MediaUnavailable."""
        import httpx

        url, content_type, is_ours = self._address(file, filename)
        asked = {name: headers[name] for name in _ASKED if name in headers} | {"Accept-Encoding": "identity"}
        client = self._client(is_ours)
        try:
            response = await client.send(client.build_request("GET", url, headers=asked), stream=True)
        except AddressRefused:
            raise MediaGone from None
        except httpx.HTTPError:
            raise MediaUnavailable from None
        if response.status_code not in (200, 206, 416):
            await response.aclose()
            raise MediaGone if response.status_code in (403, 404, 410) else MediaUnavailable
        kind = content_type or response.headers.get("content-type", "").partition(";")[0].strip().lower()
        told = {name: response.headers[name] for name in _TOLD if name in response.headers}
        told |= {"Accept-Ranges": "bytes", "Content-Type": kind if kind in _SHOWN else "application/octet-stream"}
        if kind not in _SHOWN:
            told["Content-Disposition"] = "attachment"
        return OpenedMedia(response.status_code, told, _chunks(response))

    def _address(self, file: SharedFile, filename: str) -> tuple[str, str | None, bool]:
        for item in thumbnails_of(file):
            ending = str(item.get("format")).lower()
            if filename == f"thumb_{item.get('width')}.{ending}" and item.get("key"):
                kind = _THUMBNAIL_TYPES.get(ending, "")
                return self._signer.sign(str(item["key"]), content_type=kind, filename=filename), kind, True
        is_poster = filename.endswith(f".{POSTER_EXTENSION}") and filename != file.filename
        if is_poster and file.thumbnail_key:
            return (
                self._signer.sign(file.thumbnail_key, content_type="image/jpeg", filename=filename),
                "image/jpeg",
                True,
            )
        if filename != file.filename:
            raise MediaGone
        if file.external_url is not None:
            return file.external_url, None, False
        kind = file.content_type or ""
        return self._signer.sign(file.storage_key or "", content_type=kind, filename=filename), kind, True

    def _client(self, is_ours: bool) -> Any:
        import httpx

        if is_ours not in self._clients:
            self._clients[is_ours] = httpx.AsyncClient(
                transport=None if is_ours else GuardedTransport(),
                timeout=httpx.Timeout(10.0, read=30.0),
                limits=httpx.Limits(max_connections=200, max_keepalive_connections=8),
                event_hooks={} if is_ours else {"request": [_check]},
                trust_env=False,
            )
        return self._clients[is_ours]

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()


async def _check(request: Any) -> None:
    check_url(str(request.url))


async def _chunks(response: Any) -> AsyncIterator[bytes]:
    import httpx

    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.HTTPError:
        # Headers are sent already: an answer that breaks off short of its length is how a client sees it.
        raise MediaUnavailable from None
    finally:
        await response.aclose()
