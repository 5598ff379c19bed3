"""Resolve the addresses of a request: an input image of ours is looked up, any other is judged by its form."""

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlsplit

from contracts.faults import Fault, RequestRefused
from contracts.ids import is_safe_id
from contracts.requests import Wanted
from services.gateway.queries import uploads
from services.gateway.store.uploads import USE_UPLOAD
from services.gateway.usecases.finish_upload import FinishUpload, UploadRefused, UploadUnfinished
from services.runtime.addresses import AddressRefused, check_url
from services.runtime.database import Pool
from services.runtime.own_rows import OwnRows
from services.runtime.webhook_addresses import AddressRules

FIELD = "input_image_url"
UPLOAD = "upload:"


class ResolveInput:
    """Turns what a client gave into what the generator reads; nothing is fetched here but our own bucket's bytes."""

    def __init__(
        self,
        pool: Pool,
        finish_upload: FinishUpload,
        *,
        own_addresses: Collection[str],
        own_hosts: Collection[str],
        allowed: Collection[tuple[str, int]],
        webhooks: AddressRules,
    ) -> None:
        self._pool = pool
        self._finish_upload = finish_upload
        self._own_addresses = tuple(own_addresses)
        self._own_hosts = frozenset(own_hosts)
        self._allowed = frozenset(allowed)
        self._webhooks = webhooks

    async def __call__(self, owner_id: str, wanted: Wanted) -> Wanted:
        """Return what is wanted with its addresses in the one spelling that is kept; raises RequestRefused."""
        if wanted.webhook_url is not None:
            wanted = replace(wanted, webhook_url=self._webhook(wanted.webhook_url))
        if wanted.input_image_url is None:
            return wanted
        return replace(wanted, input_image_url=await self._resolved(owner_id, wanted.input_image_url))

    async def _resolved(self, owner_id: str, address: str) -> str:
        if address.startswith(UPLOAD):
            return await self._upload(owner_id, address.removeprefix(UPLOAD))
        own = next((address[len(base) :] for base in self._own_addresses if address.startswith(f"{base}/")), address)
        if own.startswith("/media/"):
            return await self._own_media(owner_id, own)
        try:
            return check_url(address, own_hosts=self._own_hosts, allowed=self._allowed)
        except AddressRefused as error:
            raise _refused(error.code, error.detail) from None

    def _webhook(self, address: str) -> str:
        try:
            return self._webhooks.form(address)
        except AddressRefused as error:
            raise _refused(error.code, error.detail, "webhook_url") from None

    async def _upload(self, owner_id: str, upload_id: str) -> str:
        found = await uploads.upload(OwnRows(self._pool, owner_id), upload_id) if is_safe_id(upload_id) else None
        if found is None:
            raise _refused("upload_unknown", "there is no upload of yours with this id")
        try:
            finished = await self._finish_upload(found)
        except UploadUnfinished:
            raise _refused("upload_unfinished", "the bytes of this upload have not arrived; send them first") from None
        except UploadRefused as error:
            raise _refused(error.code, error.detail) from None
        await self._pool.execute(USE_UPLOAD, finished.id)
        return f"{UPLOAD}{finished.id}"

    async def _own_media(self, owner_id: str, path: str) -> str:
        token = urlsplit(path).path.split("/")[2]
        name = await uploads.own_image(OwnRows(self._pool, owner_id), token)
        if name is None:
            raise _refused("input_image_not_found", "there is no image of yours at this address")
        return f"/media/{token}/{name}"


def _refused(code: str, detail: str, field: str = FIELD) -> RequestRefused:
    return RequestRefused([Fault(field, code, f"{field}: {detail}")])
