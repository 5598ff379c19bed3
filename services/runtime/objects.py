"""Objects in S3: create-only writes that tell a repeat from a clash."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from services.runtime.quick_puts import CACHE_CONTROL, QuickPuts, open_quick_puts
from services.runtime.settings import ObjectSettings
from services.runtime.tracing import span

PUT_TIMEOUT = 120.0
CHUNK = 1024 * 1024
LOOK_TIMEOUT = 5.0
HOPELESS = {
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID: the object store does not know this key",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY: is not the secret of AWS_ACCESS_KEY_ID",
    "NoSuchBucket": "S3_BUCKET: there is no bucket of this name",
}
"""What waiting does not mend, by S3's code; AccessDenied is none of it, since a key need not be allowed to list."""


class ObjectClash(Exception):
    """Another object lies under this key; keys are written once, so the writer must not go on."""


class ObjectsUnavailable(Exception):
    """The object store did not take the object; trying again later can help."""


class ObjectMissing(Exception):
    """There is no object under this key."""


class ObjectTooLarge(Exception):
    """The object is larger than the reader takes."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it; `size` in bytes."""

    key: str
    modified: datetime
    size: int


@contextmanager
def _unavailable() -> Iterator[None]:
    """Tell whatever keeps the object store from answering as ObjectsUnavailable."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, OSError, TimeoutError) as error:
        raise ObjectsUnavailable(type(error).__name__) from error


class Objects:
    """The bucket. One client a process; made by `open_objects`."""

    def __init__(self, client: Any, bucket: str, quick: QuickPuts | None = None) -> None:
        self._client = client
        self._bucket = bucket
        self._quick = quick

    async def refusal(self) -> str | None:
        """Say which setting is wrong when the store will never take anything; None too when it does not answer now."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            async with asyncio.timeout(LOOK_TIMEOUT):
                await self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)
        except ClientError as error:
            return HOPELESS.get(error.response.get("Error", {}).get("Code", ""))
        except (BotoCoreError, OSError, TimeoutError):
            return None
        return None

    async def put(self, key: str, body: bytes | Path, *, content_type: str, sha256: str) -> None:
        """Write a new object. The same bytes under the same key count as written; raises ObjectClash for others."""
        from botocore.exceptions import BotoCoreError, ClientError

        data = await asyncio.to_thread(body.read_bytes) if isinstance(body, Path) else body
        try:
            with span("store an object", kind="client", attributes={"sorami.bytes": len(data)}):
                async with asyncio.timeout(PUT_TIMEOUT):
                    if self._quick is not None and await self._quick.put(key, data, content_type, sha256):
                        return
                    await self._client.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=data,
                        ContentType=content_type,
                        CacheControl=CACHE_CONTROL,
                        Metadata={"sha256": sha256},
                        IfNoneMatch="*",
                    )
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status != 412:
                raise ObjectsUnavailable(f"the object store answered {status}") from error
            if await self._stored_hash(key) != sha256:
                raise ObjectClash(key) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error

    async def get(self, key: str, *, most_bytes: int) -> bytes:
        """Read an object of at most `most_bytes`; raises ObjectTooLarge, ObjectMissing, or ObjectsUnavailable."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            async with asyncio.timeout(PUT_TIMEOUT):
                answer = await self._client.get_object(Bucket=self._bucket, Key=key)
                if answer["ContentLength"] > most_bytes:
                    raise ObjectTooLarge(f"the object is larger than {most_bytes} bytes")
                async with answer["Body"] as stream:
                    body: bytes = await stream.read()
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                raise ObjectMissing(key) from None
            raise ObjectsUnavailable(type(error).__name__) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error
        return body

    async def save(self, key: str, path: Path, *, most_bytes: int) -> None:
        """Bring an object of at most `most_bytes` into a file.

        Raises ObjectTooLarge, ObjectMissing or ObjectsUnavailable.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = await self._client.get_object(Bucket=self._bucket, Key=key)
            if answer["ContentLength"] > most_bytes:
                answer["Body"].close()
                raise ObjectTooLarge(f"the object is larger than {most_bytes} bytes")
            async with answer["Body"] as stream:
                file = await asyncio.to_thread(path.open, "wb")
                try:
                    async for chunk in stream.content.iter_chunked(CHUNK):
                        await asyncio.to_thread(file.write, chunk)
                finally:
                    await asyncio.to_thread(file.close)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                raise ObjectMissing(key) from None
            raise ObjectsUnavailable(type(error).__name__) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error

    async def delete_all(self, prefix: str) -> int:
        """Delete every object whose key begins with `prefix` and return how many; raises ObjectsUnavailable."""
        from botocore.exceptions import BotoCoreError, ClientError

        deleted = 0
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            async for page in pages:
                for entry in page.get("Contents", ()):
                    # One by one: the call for many at once wants a checksum that not every S3-compatible store takes.
                    await self._client.delete_object(Bucket=self._bucket, Key=entry["Key"])
                    deleted += 1
        except (BotoCoreError, ClientError, OSError, TimeoutError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error
        return deleted

    async def list_page(self, prefix: str, *, after: str, most: int) -> list[StoredObject]:
        """Return up to `most` objects whose keys begin with `prefix` and come after a key, in order."""
        with _unavailable():
            answer = await self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=most
            )
        return [StoredObject(one["Key"], one["LastModified"], one["Size"]) for one in answer.get("Contents", ())]

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there counts as deleted. Raises ObjectsUnavailable."""
        with _unavailable():
            await self._client.delete_object(Bucket=self._bucket, Key=key)

    async def abort_unfinished(self, prefix: str, *, before: datetime, really: bool = True) -> int:
        """End uploads in parts under `prefix` that began before a moment, and return how many there are."""
        with _unavailable():
            answer = await self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)
            old = [one for one in answer.get("Uploads", ()) if one["Initiated"] < before]
            for one in old if really else ():
                await self._client.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])
        return len(old)

    async def _stored_hash(self, key: str) -> str | None:
        head = await self._client.head_object(Bucket=self._bucket, Key=key)
        stored: str | None = head.get("Metadata", {}).get("sha256")
        return stored

    async def reachable(self) -> None:
        """Ask for the bucket; raises ObjectsUnavailable."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            await self._client.head_bucket(Bucket=self._bucket)
        except (BotoCoreError, ClientError, OSError) as error:
            raise ObjectsUnavailable(type(error).__name__) from error


@asynccontextmanager
async def open_objects(settings: ObjectSettings, *, connections: int = 32) -> AsyncIterator[Objects]:
    """Open the client of the bucket; nothing is sent before the first call."""
    import aioboto3
    from aiobotocore.config import AioConfig

    key_id, secret, token = (
        settings.aws_access_key_id,
        settings.aws_secret_access_key,
        settings.aws_session_token,
    )
    session = aioboto3.Session(
        aws_access_key_id=key_id.get_secret_value() if key_id else None,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        aws_session_token=token.get_secret_value() if token else None,
        region_name=settings.s3_region,
    )
    config = AioConfig(
        signature_version="s3v4",
        # Many S3-compatible stores refuse the checksums that botocore adds by default since 1.36.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=connections,
        s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
    )
    async with (
        session.client("s3", endpoint_url=settings.s3_endpoint_url, config=config) as client,
        open_quick_puts(
            _address_of(settings, client.meta.endpoint_url),
            settings.s3_region,
            await session.get_credentials(),
            connections=connections,
        ) as quick,
    ):
        yield Objects(client, settings.s3_bucket, quick)


def _address_of(settings: ObjectSettings, endpoint: str) -> str:
    """Return the bucket's address as botocore would choose it: by path, or by host name at AWS itself."""
    scheme, _, host = endpoint.rstrip("/").partition("://")
    if settings.s3_endpoint_url or "." in settings.s3_bucket:
        return f"{scheme}://{host}/{settings.s3_bucket}"
    return f"{scheme}://{settings.s3_bucket}.{host}"
