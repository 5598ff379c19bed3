"""One zip of many generations: streamed, with plain names, of one's own only."""

import io
import zipfile

import httpx
import pytest

from contracts.ids import new_id
from services.gateway.usecases.stream_zip import names_of
from tests.support.product import Person, Product


async def finished(person: Person, kind: str = "image", **body: object) -> str:
    job_id = await person.ask(kind, **body)
    await person.ended(job_id, kind)
    return job_id


async def test_a_zip_holds_every_file_of_what_was_asked_for(product: Product) -> None:
    person = product.person()
    ids = [
        await finished(person, prompt="Un chat très mignon / été", num_images=2),
        await finished(person, prompt='a"\r\nSet-Cookie: x'.replace("\r", ""), num_images=1),
        await finished(person, "video", prompt="波"),
        await finished(person, prompt="un chat TRÈS mignon été"),
    ]
    answer = await person.http.get("/api/gallery/zip", params={"ids": ",".join(ids)})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith('attachment; filename="sorami_')
    assert "set-cookie" not in answer.headers
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        day = names[0][:10]
        assert names == [
            f"{day}_un-chat-tres-mignon-ete_1.png",
            f"{day}_un-chat-tres-mignon-ete_2.png",
            f"{day}_a-set-cookie-x_1.png",
            f"{day}_untitled_1.mp4",
            f"{day}_un-chat-tres-mignon-ete_3.png",
        ]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read(names[0]).startswith(b"\x89PNG")


async def test_an_album_is_packed_whole_and_only_by_its_owner(product: Product) -> None:
    person, other = product.person(), product.person()
    inside, gone, outside = await finished(person), await finished(person), await finished(person)
    album = (await person.http.post("/api/albums", json={"name": "Chats"})).json()["id"]
    empty = await person.http.get("/api/gallery/zip", params={"album": album})
    await person.http.post(f"/api/albums/{album}/items", json={"add": [inside, gone]})
    await person.http.delete(f"/api/gallery/{gone}")
    answer = await person.http.get("/api/gallery/zip", params={"album": album})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 1
    assert (empty.status_code, empty.json()["code"]) == (409, "no_files")
    foreign = await other.http.get("/api/gallery/zip", params={"album": album})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "album_not_found")
    both = await person.http.get("/api/gallery/zip", params={"album": album, "ids": outside})
    assert (both.status_code, both.json()["code"]) == (422, "ids_required")


async def test_what_lies_elsewhere_is_listed_and_not_fetched(product: Product) -> None:
    person = product.person()
    made, owner = new_id(), await person.user_id()
    await product.pool.execute(
        "INSERT INTO image_generations (id, prompt, status, \"authorId\") VALUES ($1, 'Old', 'COMPLETED', $2)",
        made,
        owner,
    )
    await product.pool.execute(
        'INSERT INTO image_files (id, "generationId", filename, "s3Key", "fileUrl")'
        " VALUES ($1, $1, 'a.png', 'elsewhere/a.png', 'http://127.0.0.1:1/a.png')",
        made,
    )
    answer = await person.http.get("/api/gallery/zip", params={"ids": made})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["links.txt"]
        assert "http://127.0.0.1:1/a.png" in archive.read("links.txt").decode()


async def test_an_object_that_is_missing_is_said_and_does_not_spoil_the_rest(product: Product) -> None:
    person = product.person()
    first, second = await finished(person), await finished(person)
    await product.pool.execute("UPDATE sorami.files SET storage_key = storage_key || '.gone' WHERE job_id = $1", first)
    answer = await person.http.get("/api/gallery/zip", params={"ids": f"{first},{second}"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 2
        assert "missing" in archive.read("links.txt").decode()


async def test_one_foreign_id_refuses_the_whole(product: Product) -> None:
    person, other = product.person(), product.person()
    mine, theirs = await finished(person), await finished(other)
    for ids in (theirs, f"{mine},{theirs}", f"{mine},{new_id()}", f"{mine},../x"):
        answer = await person.http.get("/api/gallery/zip", params={"ids": ids})
        assert (answer.status_code, answer.json()["code"]) == (404, "generation_not_found")
    await person.http.delete(f"/api/gallery/{mine}")
    assert (await person.http.get("/api/gallery/zip", params={"ids": mine})).status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [({}, "ids_required"), ({"ids": ""}, "ids_empty"), ({"ids": ",".join(["a"] * 501)}, "ids_too_many"),
     ({"ids": "a", "format": "tar"}, "unknown_field")],
)  # fmt: skip
async def test_a_wrong_list_is_refused(product: Product, query: dict[str, str], code: str) -> None:
    answer = await product.person("user_of_bad_zips").http.get("/api/gallery/zip", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_nobody_gets_a_zip_without_a_token(product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.url) as nobody:
        assert (await nobody.get("/api/gallery/zip", params={"ids": "a"})).status_code == 401


def test_no_file_is_no_name() -> None:
    assert names_of([]) == []
