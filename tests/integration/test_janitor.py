"""The janitor of objects: what no row names goes, everything else stays, and a second look finds nothing."""

import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aioboto3
import pytest

from contracts.ids import new_id
from services.generator.usecases.sweep_objects import SweepObjects, job_of, sweep_folders
from services.runtime.objects import Objects, open_objects
from services.runtime.settings import ObjectSettings
from tests.support.objects import keys_of
from tests.support.product import Product

DIGEST = "ab" * 32


@pytest.fixture
async def objects(product: Product) -> AsyncIterator[Objects]:
    env = product.stack.env
    names = ("S3_ENDPOINT_URL", "S3_BUCKET", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    given: dict[str, Any] = {name.lower(): env[name] for name in names}
    async with open_objects(ObjectSettings(**given)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's temporary folder holds what others work on."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


async def put(objects: Objects, *keys: str) -> set[str]:
    for key in keys:
        await objects.put(key, key.encode(), content_type="image/png", sha256=DIGEST)
    return set(keys)


async def begin_in_parts(product: Product, key: str) -> None:
    env = product.stack.env
    session = aioboto3.Session(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["S3_REGION"])
    async with session.client("s3", endpoint_url=env["S3_ENDPOINT_URL"]) as client:
        await client.create_multipart_upload(Bucket=env["S3_BUCKET"], Key=key)


async def test_what_no_row_names_goes_and_nothing_else(product: Product, objects: Objects) -> None:
    person = product.person()
    image = await person.ask(model="procedural-1", size="512x512")
    film = await person.ask("video", model="procedural-1", size="640x360", duration_seconds=1, fps=2)
    deleted, waiting = await person.ask(), await person.ask(model="clumsy-1")
    for job_id, kind in ((image, "image"), (film, "video"), (deleted, "image")):
        assert (await person.ended(job_id, kind))[-1].data["status"] == "COMPLETED"
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.tasks WHERE settled_at IS NULL AND job_id = ANY($1::text[]))",
        [image, film, deleted],
    )
    assert (await person.http.delete(f"/api/gallery/{deleted}")).status_code < 300
    named = {key for job_id in (image, film, deleted) for key in await keys_of(product.stack.env, f"images/{job_id}/")}
    named |= set(await keys_of(product.stack.env, f"videos/{film}/"))
    assert len(named) >= 4  # an image with a smaller version, a film with its poster, and one in the bin
    stranger = new_id()
    stay = named | await put(
        objects,
        f"images/{image}/notes.txt",
        f"images/{stranger}/image_1.png",
        f"incoming/{stranger}/{DIGEST}",
        f"incoming/{waiting}/{DIGEST}",
        f"images/{waiting}/previews/1_1.webp",
        "backups/2026/dump.sql",
        "uploads/readme.md",
    )
    go = await put(
        objects,
        f"images/{image}/f2/image_1.png",
        f"images/{image}/f2/image_1_thumb_320.webp",
        f"images/{image}/previews/1_2.webp",
        f"videos/{film}/f3/video_1.jpg",
        f"incoming/{image}/{DIGEST}",
        f"uploads/{'0' * 24}/{DIGEST}",
    )
    await begin_in_parts(product, f"videos/{film}/video_9.mp4")
    await begin_in_parts(product, "backups/big.tar")
    # Nothing of this is old enough for the one who runs by itself.
    young = SweepObjects(product.pool, objects, age_hours=1)
    assert (await young.everything(remove=True)).total == 0
    janitor = SweepObjects(product.pool, objects, age_hours=0)
    said = await janitor.everything(remove=False)
    everything = set(await all_keys(objects))
    assert stay | go <= everything
    found = await janitor.everything(remove=True)
    assert (found.removed, found.unfinished) == (said.removed, said.unfinished)
    left = set(await all_keys(objects))
    assert stay <= left
    assert not go & left
    assert found.unfinished >= 1
    again = await janitor.everything(remove=True)
    assert (again.total, again.looked_at) == (0, found.looked_at - sum(found.removed.values()))
    for job_id, kind in ((image, "image"), (film, "video")):
        result = (await person.http.get(f"/api/{kind}s/{job_id}/result")).json()[f"{kind}s"][0]
        assert (await person.http.get(result["fileUrl"], follow_redirects=True)).status_code == 200


async def all_keys(objects: Objects) -> list[str]:
    return [one.key for one in await objects.list_page("", after="", most=1_000)]


async def test_generators_take_turns_at_looking(product: Product, objects: Objects) -> None:
    janitor = SweepObjects(product.pool, objects, age_hours=1)
    await product.pool.execute("DELETE FROM sorami.janitor_marks")
    assert await janitor.look() is not None
    assert await janitor.look() is None
    assert await janitor.look(every=0) is not None


async def test_the_command_looks_and_removes_nothing_when_told_so(product: Product, tmp_path: Path) -> None:
    process = await create_subprocess_exec(
        sys.executable,
        "-m",
        "services.generator.janitor",
        "--dry-run",
        stdout=PIPE,
        env=os.environ | product.stack.env | {"TMPDIR": str(tmp_path)},
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    assert b"looked at" in printed
    assert b"0 bytes, 0 unfinished uploads" in printed


@pytest.mark.parametrize(
    ("key", "job"),
    [
        ("images/job1/image_1.png", "job1"),
        ("videos/job1/f12/video_2_thumb_640.webp", "job1"),
        ("images/job1/previews/1_2.webp", "job1"),
        (f"incoming/job1/{DIGEST}", "job1"),
        ("images/job1/video_1.mp4", None),
        ("images/job1/deep/er/image_1.png", None),
        ("images/../image_1.png", None),
        (f"uploads/{'0' * 24}/{DIGEST}", None),
        ("Images/job1/image_1.png", None),
    ],
)
def test_only_keys_as_we_write_them_are_ours(key: str, job: str | None) -> None:
    assert job_of(key) == job


def test_folders_that_a_crash_left_go_when_they_are_old_and_nobody_goes_on_with_them(tmp_path: Path) -> None:
    def folder(name: str, hours: float) -> Path:
        made = tmp_path / name
        made.mkdir()
        (made / "answer_1").write_bytes(b"x")
        for path in (made / "answer_1", made):
            os.utime(path, (time.time() - hours * 3_600,) * 2)
        return made

    left, young = folder("sorami-abcd_123", 50), folder("sorami-abcd_124", 1)
    paid, other = folder("sorami-abcd_125", 50), folder("sorami-notes-of-mine", 50)
    (tmp_path / "sorami-abcd_126").symlink_to(other)
    kept = {str(paid / "answer_1")}
    assert sweep_folders(48 * 3_600, kept, remove=False, base=tmp_path) == 1
    assert left.exists()
    assert sweep_folders(48 * 3_600, kept, remove=True, base=tmp_path) == 1
    assert not left.exists()
    assert all(path.exists() for path in (young, paid, other))
    assert sweep_folders(48 * 3_600, kept, remove=True, base=tmp_path) == 0


async def test_a_key_or_bucket_that_is_wrong_is_told_by_the_setting_that_names_it(product: Product) -> None:
    env = product.stack.env
    right: dict[str, Any] = {
        name.lower(): env[name]
        for name in ("S3_ENDPOINT_URL", "S3_BUCKET", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    wrong = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing", "s3_bucket": "not-there"}
    told = {}
    for name, value in wrong.items():
        async with open_objects(ObjectSettings(**right | {name: value})) as opened:
            told[name] = ((await opened.refusal()) or "").partition(":")[0].lower()
    assert told == {name: name for name in wrong}
    async with open_objects(ObjectSettings(**right)) as opened:
        assert await opened.refusal() is None
    async with open_objects(ObjectSettings(**right | {"s3_endpoint_url": "http://127.0.0.1:9"})) as opened:
        assert await opened.refusal() is None, "a store that is away is waited for"
