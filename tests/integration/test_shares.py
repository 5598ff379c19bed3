"""Share links: whoever has one sees what it shows, for as long as its owner likes, and not a second longer."""

import asyncio
import hashlib
import time
from typing import Any

import httpx
import pytest

from tests.support.library import delete, made_by_prisma
from tests.support.product import Person, Product


@pytest.fixture
async def anybody(product: Product) -> Any:
    """Somebody without any account."""
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        yield client


async def shared(person: Person, **body: Any) -> tuple[dict[str, Any], str]:
    answer = await person.http.post("/api/shares", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json(), answer.json()["url"].rpartition("/s/")[2]


async def finished(person: Person, **body: Any) -> str:
    job_id = await person.ask(**body)
    await person.ended(job_id)
    return job_id


async def test_a_share_shows_its_image_to_anybody_without_its_prompt(product: Product, anybody: Any) -> None:
    person = product.person()
    job_id = await finished(person, prompt="un secret")
    share, token = await shared(person, generation_id=job_id)

    body = (await anybody.get(f"/api/shared/{token}")).json()
    url = body["items"][0]["files"][0]["url"]
    whole = await anybody.get(url)

    stored = await product.row("SELECT sha256 FROM sorami.files WHERE job_id = $1", job_id)
    assert whole.status_code == 200
    assert hashlib.sha256(whole.content).hexdigest() == stored["sha256"]
    assert whole.headers["content-type"] == "image/png"
    assert (whole.headers["cache-control"], whole.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "sandbox" in whole.headers["content-security-policy"]
    assert "noindex" in whole.headers["x-robots-tag"]
    assert body["items"][0]["prompt"] is None
    assert "secret" not in str(body)
    assert job_id not in str(body)
    told = (await person.http.get("/api/shares")).json()["shares"][0]
    assert token not in str(told)
    assert told["prefix"] == token[:6]
    asked = await product.row("SELECT prompt FROM image_generations WHERE id = $1", job_id)
    assert told["title"] == asked["prompt"]
    kept = await product.row("SELECT * FROM sorami.shares WHERE id = $1", share["id"])
    assert token not in str(dict(kept))


async def test_a_range_of_the_bytes_is_answered_as_such(product: Product, anybody: Any) -> None:
    person = product.person()
    _, token = await shared(person, generation_id=await finished(person))
    url = (await anybody.get(f"/api/shared/{token}")).json()["items"][0]["files"][0]["url"]
    whole = (await anybody.get(url)).content

    some = await anybody.get(url, headers={"Range": "bytes=1-3"})
    tail = await anybody.get(url, headers={"Range": "bytes=-5"})
    beyond = await anybody.get(url, headers={"Range": f"bytes={len(whole)}-"})

    assert (some.status_code, some.content) == (206, b"PNG")
    assert some.headers["content-range"] == f"bytes 1-3/{len(whole)}"
    assert tail.content == whole[-5:]
    assert beyond.status_code == 416


@pytest.mark.parametrize("how", ["revoked", "expired", "deleted", "album deleted"])
async def test_a_share_that_ended_is_gone_within_a_second(product: Product, anybody: Any, how: str) -> None:
    person = product.person()
    job_id = await finished(person)
    subject = {"generation_id": job_id}
    if how == "album deleted":
        subject = {
            "album_id": (await person.http.post("/api/albums", json={"name": "A", "items": [job_id]})).json()["id"]
        }
    share, token = await shared(person, **subject)
    url = (await anybody.get(f"/api/shared/{token}")).json()["items"][0]["files"][0]["url"]
    assert (await anybody.get(url)).status_code == 200

    match how:
        case "revoked":
            assert (await person.http.delete(f"/api/shares/{share['id']}")).status_code == 204
        case "expired":
            await product.pool.execute("UPDATE sorami.shares SET expires_at = now() WHERE id = $1", share["id"])
        case "deleted":
            await delete(product, person, job_id)
        case _:
            await person.http.delete(f"/api/albums/{subject['album_id']}")
    began = time.monotonic()
    answers = [await anybody.get(path) for path in (f"/api/shared/{token}", url, f"/s/{token}")]

    assert time.monotonic() - began < 1
    wanted = 404 if how == "album deleted" else 410
    assert [answer.status_code for answer in answers] == [wanted] * 3
    assert answers[0].json()["code"] == ("share_not_found" if wanted == 404 else "share_over")
    assert (await anybody.post(f"/api/shared/{token}/unlock", json={"password": "x"})).status_code == wanted


async def test_a_share_lasts_as_long_as_was_said(product: Product, anybody: Any) -> None:
    person = product.person()
    _, token = await shared(person, generation_id=await finished(person), expires_in_seconds=1)
    assert (await anybody.get(f"/api/shared/{token}")).status_code == 200
    async with asyncio.timeout(5):
        # Its end is the database's clock; nothing tells of it.
        while (await anybody.get(f"/api/shared/{token}")).status_code != 410:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_a_shared_album_shows_what_lies_in_it_page_by_page(product: Product, anybody: Any) -> None:
    person = product.person()
    made = [await finished(person, prompt=f"p{n}") for n in range(3)]
    outside = await finished(person)
    album = (await person.http.post("/api/albums", json={"name": "Vacances", "items": made})).json()["id"]
    _, token = await shared(person, album_id=album, show_prompt=True)

    first = (await anybody.get(f"/api/shared/{token}?limit=2")).json()
    rest = (await anybody.get(f"/api/shared/{token}", params={"cursor": first["nextCursor"]})).json()

    assert first["title"] == "Vacances"
    assert [item["prompt"] for item in first["items"] + rest["items"]] == ["p2", "p1", "p0"]
    file_id = (await product.row("SELECT id FROM sorami.files WHERE job_id = $1", outside))["id"]
    foreign = await anybody.get(f"/api/shared/{token}/media/{file_id}/image_1.png")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "media_not_found")
    url = rest["items"][0]["files"][0]["url"]
    assert (await anybody.get(url)).status_code == 200
    await person.http.delete(f"/api/albums/{album}/items/{made[0]}")
    assert (await anybody.get(url)).status_code == 404


async def test_a_password_opens_its_share_and_no_other(product: Product, anybody: Any) -> None:
    person = product.person()
    job_id = await finished(person)
    share, token = await shared(person, generation_id=job_id, password="sésame")
    _, other = await shared(person, generation_id=job_id, password="sésame")
    url = f"/api/shared/{token}"
    file_id = (await product.row("SELECT id FROM sorami.files WHERE job_id = $1", job_id))["id"]
    medium = f"{url}/media/{file_id}/image_1.png"

    assert share["hasPassword"] is True
    assert (await anybody.get(url)).json()["code"] == "share_locked"
    assert (await anybody.get(medium)).status_code == 401
    wrong = await anybody.post(f"{url}/unlock", json={"password": "open"})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "password_wrong")
    opened = await anybody.post(f"{url}/unlock", json={"password": "sésame"})

    cookie = opened.headers["set-cookie"]
    assert opened.status_code == 204
    assert "HttpOnly" in cookie
    assert f"Path={url}" in cookie
    assert (await anybody.get(url)).status_code == 200
    assert (await anybody.get(medium)).status_code == 200
    assert (await anybody.get(f"/api/shared/{other}")).status_code == 401
    key = cookie.partition("=")[2].partition(";")[0]
    for forged in (key, key[:-4] + "AAA=", "9" * 11 + ".x", "x", ""):
        foreign = await anybody.get(f"/api/shared/{other}", headers={"Cookie": f"sorami_share={forged}"})
        assert foreign.status_code == 401
    stored = await product.row("SELECT password_hash FROM sorami.shares WHERE id = $1", share["id"])
    assert stored["password_hash"].startswith("scrypt$")
    assert (await person.http.delete(f"/api/shares/{share['id']}")).status_code == 204
    assert (await anybody.get(medium)).status_code == 410


async def test_guessing_a_password_is_soon_refused(product: Product, anybody: Any) -> None:
    person = product.person()
    _, token = await shared(person, generation_id=await made_by_prisma(product, person, "p"), password="sésame")
    answers = await asyncio.gather(
        *(anybody.post(f"/api/shared/{token}/unlock", json={"password": f"guess{n}"}) for n in range(14))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [403] * 10 + [429] * 4
    late = await anybody.post(f"/api/shared/{token}/unlock", json={"password": "sésame"})
    assert (late.status_code, late.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(late.headers["retry-after"]) <= 600


async def test_somebody_elses_things_cannot_be_shared_nor_their_shares_ended(product: Product, anybody: Any) -> None:
    person, other = product.person(), product.person()
    mine = await made_by_prisma(product, person, "mine")
    share, token = await shared(person, generation_id=mine)
    album = (await person.http.post("/api/albums", json={"name": "A"})).json()["id"]
    for body, code in (({"generation_id": mine}, "generation_not_found"), ({"album_id": album}, "album_not_found")):
        answer = await other.http.post("/api/shares", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert (await other.http.delete(f"/api/shares/{share['id']}")).status_code == 404
    assert (await other.http.get("/api/shares")).json()["shares"] == []
    assert (await anybody.get(f"/api/shared/{token}")).status_code == 200


async def test_a_file_of_an_application_is_never_fetched_from_a_private_address(product: Product, anybody: Any) -> None:
    person = product.person()
    generation_id = await made_by_prisma(product, person, "p")
    inside = f"{product.stack.env['S3_ENDPOINT_URL']}/sorami/x"
    for address in (inside, "http://127.0.0.1/x", "file:///etc/passwd", "/media/x/y.png"):
        await product.pool.execute(
            'UPDATE image_files SET "fileUrl" = $2 WHERE "generationId" = $1', generation_id, address
        )
        _, token = await shared(person, generation_id=generation_id)
        url = (await anybody.get(f"/api/shared/{token}")).json()["items"][0]["files"][0]["url"]
        assert (await anybody.get(url)).status_code == 404, address


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "share_subject_unclear"),
        ({"generation_id": "a", "album_id": "b"}, "share_subject_unclear"),
        ({"generation_id": "a", "expires_in_seconds": 0}, "expires_in_seconds_out_of_range"),
        ({"generation_id": "a", "expires_in_seconds": 2**63}, "expires_in_seconds_out_of_range"),
        ({"generation_id": "a", "expires_in_seconds": True}, "not_an_integer"),
        ({"generation_id": "a", "password": "abc"}, "password_too_short"),
        ({"generation_id": "a", "token": "mine"}, "unknown_field"),
    ],
)
async def test_a_bad_share_gets_its_own_code(product: Product, body: Any, code: str) -> None:
    answer = await product.person().http.post("/api/shares", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_the_page_of_a_share_is_strict_and_not_to_be_indexed(product: Product, anybody: Any) -> None:
    person = product.person()
    _, token = await shared(person, generation_id=await made_by_prisma(product, person, "secret"))
    page, absent = await anybody.get(f"/s/{token}"), await anybody.get("/s/nothing")
    policy = page.headers["content-security-policy"]
    assert (page.status_code, absent.status_code) == (200, 404)
    assert page.text == absent.text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "noindex" in page.headers["x-robots-tag"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex' in page.text
