"""Smaller versions and placeholders: made with the picture, named by the row, served by lasting addresses."""

import io

import httpx
from PIL import Image

from tests.support.product import Product
from tests.unit.generator.thumbhash_reader import read_thumbhash


async def shown(address: str) -> httpx.Response:
    async with httpx.AsyncClient(follow_redirects=True) as anybody:
        return await anybody.get(address)


async def test_an_image_has_smaller_versions_and_a_placeholder(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(prompt="Aurora over a lake", model="procedural-1", size="1024x1024")
    await person.ended(job_id)
    item = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"][0]
    assert [(one["width"], one["height"], one["format"]) for one in item["thumbnails"]] == [
        (320, 320, "WEBP"),
        (640, 640, "WEBP"),
    ]
    for small in item["thumbnails"]:
        assert small["url"] == item["fileUrl"].rpartition("/")[0] + f"/thumb_{small['width']}.webp"
        answer = await shown(small["url"])
        assert answer.headers["content-type"] == "image/webp"
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (image.format, image.size) == ("WEBP", (small["width"], small["height"]))
            average = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    hashed = read_thumbhash(item["placeholder"])
    assert isinstance(average, tuple)
    assert max(abs(one - other) for one, other in zip(hashed.average, average, strict=True)) < 12
    assert await product.object_keys(f"images/{job_id}/") == [
        f"images/{job_id}/image_1.png",
        f"images/{job_id}/image_1_thumb_320.webp",
        f"images/{job_id}/image_1_thumb_640.webp",
    ]


async def test_the_gallery_and_the_event_name_them_too(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(prompt="Sea", model="procedural-1", size="512x512")
    await person.ended(job_id)
    item = (await person.http.get("/api/images/user")).json()["generations"][0]["images"][0]
    event = await product.row(
        "SELECT data->'files'->0->'thumbnails' AS small, data->'files'->0->>'placeholder' AS placeholder"
        " FROM sorami.job_events WHERE job_id = $1 AND data->>'status' = 'COMPLETED'",
        job_id,
    )
    assert [one["width"] for one in item["thumbnails"]] == [320]
    assert item["thumbnails"][0]["url"] in event["small"]
    assert event["placeholder"] == item["placeholder"]


async def test_a_film_has_smaller_versions_of_its_poster(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=1, fps=8)
    await person.ended(job_id, "video")
    film = (await person.http.get(f"/api/videos/{job_id}/result")).json()["videos"][0]
    assert [(one["width"], one["height"]) for one in film["thumbnails"]] == [(320, 180)]
    assert (await shown(film["thumbnails"][0]["url"])).headers["content-type"] == "image/webp"
    assert read_thumbhash(film["placeholder"]).landscape


async def test_a_tiny_picture_is_its_own_thumbnail(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    item = (await person.http.get(f"/api/images/{job_id}/result")).json()["images"][0]
    assert (item["thumbnails"], item["placeholder"]) == ([], None)
