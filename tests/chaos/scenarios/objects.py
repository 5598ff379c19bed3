"""b.7: the object store dies, is slow, answers 503, and stores without saying so."""

import asyncio
import shutil

from tests.chaos.disks import MEGABYTE, full_for_a_while, on_a_disk_of_its_own
from tests.chaos.load import REMOTE, Load
from tests.chaos.rig import Rig
from tests.chaos.scenarios import scenario

SLOW_DOWN = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: 64\r\nConnection: close\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message>Less, please</Message></Err>"
)


@scenario("b.7 kill -9 mid-upload", short=True)
async def killed(rig: Rig, load: Load) -> None:
    """SIGKILL of the object store while media are stored."""
    load.work(5)
    asking = asyncio.create_task(load.ask_many(4, model=REMOTE))
    await asyncio.sleep(1)
    await rig.kill("s3")
    await rig.ready("s3")
    await asking
    await asyncio.sleep(1)


@scenario("b.7 restart / partition", usual=True)
async def away(rig: Rig, load: Load) -> None:
    """The object store refuses connections for ten seconds: what was paid is kept and stored later."""
    load.work(4)
    await asyncio.sleep(1)
    rig.between("generator", "s3").become(refuses=True)
    await load.ask_many(4, model=REMOTE)
    await asyncio.sleep(10)
    rig.clear()
    await asyncio.sleep(1)


@scenario("b.7 slow")
async def slow(rig: Rig, load: Load) -> None:
    """Fifty kilobytes a second to and from the object store."""
    rig.between("generator", "s3").become(bytes_per_second=50_000)
    load.work(3)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.7 put done, answer lost", usual=True)
async def answers_are_lost(rig: Rig, load: Load) -> None:
    """Objects are stored and nobody hears it: the same bytes under the same key are a success."""
    proxy = rig.between("generator", "s3")
    proxy.become(cut_down_after=0)
    load.work(4)
    async with asyncio.timeout(20):
        while proxy.cuts < 10:
            await asyncio.sleep(0.05)
    rig.clear()
    await asyncio.sleep(1)


@scenario("b.7 disk full / 503 SlowDown / 507")
async def overloaded(rig: Rig, load: Load) -> None:
    """The object store answers 503 SlowDown to everything for eight seconds."""
    rig.between("generator", "s3").become(answer=SLOW_DOWN)
    load.work(4)
    await asyncio.sleep(8)
    rig.clear()


@scenario("b.7 object deleted behind our back")
async def an_object_is_gone(rig: Rig, load: Load) -> None:
    """Somebody deletes an object: its address and the gallery answer without an error of ours."""
    job_id = await load.ask("image", model="instant")
    row = await rig.product.until("SELECT * FROM sorami.files WHERE job_id = $1", job_id)
    await _delete(rig, row["storage_key"])
    load.asked.pop(job_id)
    for path in (f"/media/{row['token']}/{row['filename']}", f"/api/images/{job_id}/result", "/api/gallery"):
        answer = await load.person.http.get(path)
        assert answer.status_code < 500, (path, answer.text)
    await load.ask_many(3)


async def _delete(rig: Rig, key: str) -> None:
    async with rig.bucket() as (client, bucket):
        await client.delete_object(Bucket=bucket, Key=key)


@scenario("b.7 disk full (its own)")
async def disk_full(rig: Rig, load: Load) -> None:
    """The object store's disk has no byte left for eight seconds: jobs wait, and are stored when there is room."""
    folder = rig.stack.home.objects
    async with on_a_disk_of_its_own(rig, "s3", folder, spare=128 * MEGABYTE):
        await full_for_a_while(load, folder)
        await load.rest()
        await rig.product.until(
            """SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.jobs WHERE owner_id = $1
                                          AND status IN ('PENDING', 'GENERATING'))""",
            load.user_id,
            within=90,
        )


@scenario("b.7 restored from an older copy (issue 9)", usual=True)
async def put_back_to_an_older_copy(rig: Rig, load: Load) -> None:
    """The bucket is put back, under load, to a copy from before; what was stored since is gone, and only that."""
    load.work(4)
    await asyncio.sleep(2)
    data, copy = rig.stack.home.objects, rig.home / "older-objects"
    await rig.stack.astop("s3")
    await asyncio.to_thread(shutil.copytree, data, copy)
    await rig.stack.astart("s3")
    await asyncio.sleep(4)
    # From here on nothing is stored that the list does not know.
    rig.between("generator", "s3").become(refuses=True)
    before = await _every_key(rig)
    await rig.stack.astop("s3")
    await asyncio.to_thread(shutil.rmtree, data)
    await asyncio.to_thread(copy.rename, data)
    await rig.stack.astart("s3")
    load.expected.lost_objects = before - await _every_key(rig)
    assert load.expected.lost_objects, "the copy holds everything"
    rig.clear()
    await asyncio.sleep(2)


async def _every_key(rig: Rig) -> frozenset[str]:
    return frozenset(await rig.product.object_keys(""))
