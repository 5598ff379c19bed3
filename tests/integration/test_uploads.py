"""Uploads: a form that takes exactly the announced bytes, once, and an image to start from."""

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.support import pictures
from tests.support.product import Person, Product


def announced(body: bytes, content_type: str = "image/png", **more: Any) -> dict[str, Any]:
    return {
        "content_type": content_type,
        "size_bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    } | more


async def begun(person: Person, body: bytes, **more: Any) -> dict[str, Any]:
    answer = await person.http.post("/api/uploads", json=announced(body, **more))
    assert answer.status_code == 201, answer.text
    form: dict[str, Any] = answer.json()
    return form


async def send(form: dict[str, Any], body: bytes, **fields: str) -> httpx.Response:
    async with httpx.AsyncClient() as browser:
        return await browser.post(
            form["url"],
            data={**form["fields"], **fields},
            files={"file": ("picture.png", body, "image/png")},
            headers={"Origin": "http://localhost:3000"},
        )


async def uploaded(person: Person, body: bytes) -> str:
    form = await begun(person, body)
    assert (await send(form, body)).status_code == 201
    upload_id: str = form["upload_id"]
    return upload_id


def own_png(mark: int) -> bytes:
    return pictures.png((64 + mark, 48))


async def test_bytes_that_were_sent_can_be_the_start_of_an_image(product: Product) -> None:
    person = product.person()
    upload_id = await uploaded(person, own_png(1))
    job_id = await person.ask(
        prompt="In ink", model="procedural-1", size="256x256", input_image_url=f"upload:{upload_id}"
    )
    assert (await person.ended(job_id))[-1].data["status"] == "COMPLETED"
    row = await product.row('SELECT "inputImageUrl" FROM image_generations WHERE id = $1', job_id)
    assert row[0] == f"upload:{upload_id}"
    seen = (await person.http.get(f"/api/uploads/{upload_id}")).json()
    assert (seen["state"], seen["content_type"], seen["size_bytes"]) == ("ready", "image/png", len(own_png(1)))


async def test_the_bucket_lets_our_page_send(product: Product) -> None:
    form = await begun(product.person(), own_png(2))
    async with httpx.AsyncClient() as browser:
        before = await browser.options(
            form["url"], headers={"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
        )
    sent = await send(form, own_png(2))
    assert before.headers["access-control-allow-origin"] in ("*", "http://localhost:3000")
    assert sent.headers["access-control-allow-origin"] in ("*", "http://localhost:3000")


async def test_the_form_takes_what_was_announced_and_nothing_else_s31(product: Product) -> None:
    body = own_png(3)
    form = await begun(product.person(), body, filename="my cat.png")
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    conditions = [item for item in policy["conditions"] if isinstance(item, dict)]
    owner_mark = form["fields"]["key"].split("/")[1]
    assert ["content-length-range", len(body), len(body)] in policy["conditions"]
    assert {"key": f"uploads/{owner_mark}/{hashlib.sha256(body).hexdigest()}"} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()} in conditions
    expires = datetime.fromisoformat(policy["expiration"])
    assert 0 < (expires - datetime.now(UTC)).total_seconds() <= 300
    other_bytes = bytes(len(body))
    for sent in [
        await send(form, body[:-1]),
        await send(form, body + b"x"),
        await send(form, other_bytes),
        await send(form, body, key="uploads/else"),
        await send(form, body, **{"Content-Type": "text/html"}),
    ]:
        assert sent.status_code in (400, 403), sent.text
    assert (await send(form, body)).status_code == 201


async def test_the_same_bytes_of_one_person_are_stored_once(product: Product) -> None:
    person, other = product.person(), product.person()
    body = own_png(4)
    upload_id = await uploaded(person, body)
    assert (await person.http.post(f"/api/uploads/{upload_id}/complete")).json()["state"] == "ready"
    again = await person.http.post("/api/uploads", json=announced(body))
    assert (again.status_code, again.json()["upload_id"], again.json()["exists"]) == (200, upload_id, True)
    theirs = await begun(other, body)
    assert theirs["upload_id"] != upload_id
    assert (
        theirs["fields"]["key"]
        != (await product.row("SELECT storage_key FROM sorami.uploads WHERE id = $1", upload_id))[0]
    )


async def test_an_upload_of_somebody_else_is_not_there(product: Product) -> None:
    owner, other = product.person(), product.person()
    upload_id = await uploaded(owner, own_png(5))
    answers = [
        await other.http.get(f"/api/uploads/{upload_id}"),
        await other.http.delete(f"/api/uploads/{upload_id}"),
        await other.http.post(f"/api/uploads/{upload_id}/complete"),
        await other.http.get("/api/uploads/nothing"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "upload_not_found")] * 4
    asked = await other.http.post(
        "/api/images/generate", json={"prompt": "x", "input_image_url": f"upload:{upload_id}"}
    )
    assert (asked.status_code, asked.json()["code"]) == (422, "upload_unknown")


async def test_bytes_that_never_came_are_said_to_be_missing(product: Product) -> None:
    person = product.person()
    form = await begun(person, own_png(6))
    asked = await person.http.post(
        "/api/images/generate", json={"prompt": "x", "input_image_url": f"upload:{form['upload_id']}"}
    )
    complete = await person.http.post(f"/api/uploads/{form['upload_id']}/complete")
    assert (asked.status_code, asked.json()["code"]) == (422, "upload_unfinished")
    assert (complete.status_code, complete.json()["code"]) == (409, "upload_unfinished")


async def test_what_is_no_image_is_removed_when_it_is_looked_at(product: Product) -> None:
    person = product.person()
    body = pictures.HTML
    form = await begun(person, body)
    assert (await send(form, body)).status_code == 201
    answer = await person.http.post(f"/api/uploads/{form['upload_id']}/complete")
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_not_an_image")
    assert (await person.http.get(f"/api/uploads/{form['upload_id']}")).status_code == 404


async def test_the_bytes_say_what_type_they_are(product: Product) -> None:
    person = product.person()
    body = pictures.encoded(pictures.picture((65, 49)), "JPEG")
    form = await begun(person, body)
    assert (await send(form, body)).status_code == 201
    answer = await person.http.post(f"/api/uploads/{form['upload_id']}/complete")
    assert answer.json()["content_type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content_type": "image/svg+xml"}, "content_type_not_allowed"),
        ({"content_type": "text/html"}, "content_type_not_allowed"),
        ({"size_bytes": 0}, "size_bytes_out_of_range"),
        ({"size_bytes": 10 * 2**20 + 1}, "size_bytes_out_of_range"),
        ({"size_bytes": "12"}, "not_an_integer"),
        ({"sha256": "A" * 64}, "sha256_invalid"),
        ({"sha256": "../../images/x"}, "sha256_invalid"),
        ({"filename": "a\nb"}, "filename_invalid"),
        ({"key": "images/x"}, "unknown_field"),
    ],
)
async def test_an_upload_that_is_announced_badly_is_refused(
    product: Product, change: dict[str, Any], code: str
) -> None:
    answer = await product.person("user_of_bad_uploads").http.post("/api/uploads", json=announced(b"x") | change)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_uploads_are_listed_newest_first_and_by_pages(product: Product) -> None:
    person = product.person()
    made = [(await begun(person, own_png(10 + number)))["upload_id"] for number in range(3)]
    first = (await person.http.get("/api/uploads", params={"limit": 2})).json()
    rest = (await person.http.get("/api/uploads", params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [one["upload_id"] for one in first["uploads"] + rest["uploads"]] == made[::-1]
    assert rest["nextCursor"] is None
    assert (await product.person().http.get("/api/uploads")).json()["uploads"] == []


async def test_a_removed_upload_is_gone_with_its_object(product: Product) -> None:
    person = product.person()
    upload_id = await uploaded(person, own_png(20))
    key = (await product.row("SELECT storage_key FROM sorami.uploads WHERE id = $1", upload_id))[0]
    assert await product.object_keys(key) == [key]
    assert (await person.http.delete(f"/api/uploads/{upload_id}")).status_code == 204
    assert (await person.http.get(f"/api/uploads/{upload_id}")).status_code == 404
    assert await product.object_keys(key) == []


async def test_a_day_has_so_many_uploads_whoever_counts(product: Product) -> None:
    person = product.person()
    await begun(person, own_png(30))
    # All but two of the day's uploads are used: of many at once, exactly two are begun.
    await product.pool.execute("UPDATE sorami.upload_days SET count = 198 WHERE owner_id = $1", await person.user_id())
    answers = await asyncio.gather(
        *(person.http.post("/api/uploads", json=announced(own_png(31 + number))) for number in range(12))
    )
    refused = [answer for answer in answers if answer.status_code == 429]
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [429] * 10
    assert {answer.json()["code"] for answer in refused} == {"upload_limit_reached"}
    assert all(0 < int(answer.headers["retry-after"]) <= 86_400 for answer in refused)


async def test_a_day_has_so_many_bytes(product: Product) -> None:
    person = product.person()
    await begun(person, own_png(50))
    await product.pool.execute(
        "UPDATE sorami.upload_days SET bytes = $2 WHERE owner_id = $1", await person.user_id(), 2**30 - 10
    )
    answer = await person.http.post("/api/uploads", json=announced(own_png(51)))
    assert answer.status_code == 429
