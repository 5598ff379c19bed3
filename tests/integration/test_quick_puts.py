"""Objects put by one signed request of our own are what botocore would have put, and botocore has the last word."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.ids import new_id
from services.runtime.objects import ObjectClash, Objects, open_objects
from services.runtime.quick_puts import QuickPuts
from services.runtime.settings import ObjectSettings
from tests.support.product import Product

BODY = b"a picture" * 100
NAMES = ("S3_ENDPOINT_URL", "S3_BUCKET", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def given(product: Product) -> dict[str, Any]:
    return {name.lower(): product.stack.env[name] for name in NAMES}


@pytest.fixture
async def objects(given: dict[str, Any]) -> AsyncIterator[Objects]:
    async with open_objects(ObjectSettings(**given)) as opened:
        yield opened


def quick(objects: Objects) -> QuickPuts:
    found = objects._quick
    assert found is not None
    return found


async def test_an_object_is_stored_with_its_type_and_its_hash(objects: Objects) -> None:
    key = f"quick/{new_id()} é+&.png"

    assert await quick(objects).put(key, BODY, "image/png", hash_of(BODY))

    head = await objects._client.head_object(Bucket=objects._bucket, Key=key)
    assert (head["ContentType"], head["Metadata"]["sha256"]) == ("image/png", hash_of(BODY))
    assert await objects.get(key, most_bytes=10_000) == BODY


async def test_a_key_is_written_once_whoever_writes_it(objects: Objects) -> None:
    key = f"quick/{new_id()}.png"
    await objects.put(key, BODY, content_type="image/png", sha256=hash_of(BODY))

    assert not await quick(objects).put(key, b"other", "image/png", hash_of(b"other"))
    await objects.put(key, BODY, content_type="image/png", sha256=hash_of(BODY))
    with pytest.raises(ObjectClash):
        await objects.put(key, b"other", content_type="image/png", sha256=hash_of(b"other"))


async def test_what_the_store_refuses_is_left_to_botocore(given: dict[str, Any], objects: Objects) -> None:
    async with open_objects(ObjectSettings(**given | {"aws_secret_access_key": "not-it"})) as wrong:
        key = f"quick/{new_id()}.png"
        assert not await quick(wrong).put(key, BODY, "image/png", hash_of(BODY))
        # It gives way for a while, also for what would succeed.
        quick(wrong)._credentials = quick(objects)._credentials
        assert not await quick(wrong).put(key, BODY, "image/png", hash_of(BODY))
