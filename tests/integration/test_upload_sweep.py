"""Uploads that never came, and those nobody uses, are removed with their objects."""

import hashlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from contracts.ids import new_id
from contracts.media import upload_key
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.begin_upload import Announced, BeginUpload, Begun
from services.gateway.usecases.finish_upload import FinishUpload
from services.gateway.usecases.sweep_uploads import SweepUploads
from services.runtime.signed_objects import SignedObjects
from services.runtime.signed_urls import UrlSigner, credentials_of
from sorami.local.stack import Stack
from tests.integration.test_uploads import send
from tests.support import pictures
from tests.support.objects import keys_of


class Uploads:
    """The use cases over real rows and a real bucket."""

    def __init__(self, stack: Stack, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        env = stack.env
        settings = GatewaySettings.model_validate(
            {name: env[name] for name in env if name.startswith(("S3_", "AWS_", "DATABASE_URL"))}
        )
        signer = UrlSigner(settings, credentials_of(settings))
        self.stack = stack
        self.pool = pool
        self.objects = SignedObjects(signer)
        self.begin = BeginUpload(pool, signer, most_a_day=100, most_bytes_a_day=2**30)
        self.finish = FinishUpload(pool, self.objects)
        self.sweep = SweepUploads(pool, self.objects, kept_days=30)

    async def sent(self, owner: str) -> tuple[Begun, bytes]:
        body = pictures.png((70, 70))
        begun = await self.begin(owner, Announced("image/png", len(body), hashlib.sha256(body).hexdigest(), None))
        assert begun.form is not None
        form = {"url": begun.form.url, "fields": begun.form.fields}
        assert (await send(form, body)).status_code == 201
        return begun, body

    async def keys(self, owner: str) -> list[str]:
        return await keys_of(self.stack.env, upload_key(owner, ""))


@pytest.fixture
async def uploads(stack: Stack, database: str) -> AsyncIterator[Uploads]:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as pool:
        made = Uploads(stack, pool)
        yield made
        await made.objects.close()


async def test_an_upload_that_was_never_finished_is_forgotten(uploads: Uploads) -> None:
    owner = new_id()
    begun, _ = await uploads.sent(owner)
    assert await uploads.sweep.sweep() == 0
    await uploads.pool.execute("UPDATE sorami.uploads SET expires_at = now() - interval '1 second'")
    assert await uploads.sweep.sweep() == 1
    assert await uploads.keys(owner) == []
    assert await uploads.pool.fetchval("SELECT count(*) FROM sorami.uploads WHERE id = $1", begun.upload.id) == 0


async def test_an_upload_that_nobody_uses_is_removed_after_its_days(uploads: Uploads) -> None:
    owner = new_id()
    begun, _ = await uploads.sent(owner)
    await uploads.finish(begun.upload)
    await uploads.pool.execute("UPDATE sorami.uploads SET last_used_at = now() - interval '29 days'")
    assert await uploads.sweep.sweep() == 0
    await uploads.pool.execute("UPDATE sorami.uploads SET last_used_at = now() - interval '31 days'")
    assert await uploads.sweep.sweep() == 1
    assert await uploads.keys(owner) == []
