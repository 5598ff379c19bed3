"""The bell: listed, counted, marked, in both languages, for whoever it rang for."""

from typing import Any

import pytest

from contracts.ids import new_id
from tests.support.library import delete, made_by_prisma, minutes
from tests.support.product import Person, Product

FOUR = [
    ("IMAGE_COMPLETED", "🎨 Images générées avec succès", "3 image(s) créée(s).", "🎨 Images made", "3 image(s) made."),
    ("VIDEO_COMPLETED", "🎬 Vidéos générées avec succès", "1 vidéo(s) créée(s).", "🎬 Videos made", "1 video(s) made."),
    ("IMAGE_FAILED", "La génération a échoué", "Le délai est dépassé.", "The generation failed", "It took too long."),
    ("VIDEO_FAILED", "La génération a échoué", "mots à part", "The generation failed", "mots à part"),
]


async def rung(product: Product, person: Person, type_: str, title: str, message: str, minute: int) -> str:
    generation_id = await made_by_prisma(product, person, "p")
    note_id = new_id()
    await product.pool.execute(
        """INSERT INTO notifications (id, "userId", type, title, message, metadata, "createdAt")
           VALUES ($1, $2, $3, $4, $5, jsonb_build_object('generationId', $6::text), $7)""",
        note_id, await person.user_id(), type_, title, message, generation_id, minutes(minute),
    )  # fmt: skip
    return note_id


async def bell(person: Person, **parameters: Any) -> list[dict[str, Any]]:
    answer = await person.http.get("/api/notifications", params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["notifications"]
    return found


async def unread(person: Person) -> int:
    count: int = (await person.http.get("/api/notifications/unread-count")).json()["count"]
    return count


async def test_all_four_types_are_said_in_the_readers_language(product: Product) -> None:
    person = product.person()
    for n, (type_, title, message, *_) in enumerate(FOUR):
        await rung(product, person, type_, title, message, n)
    french = await bell(person)
    assert {n["prompt"] for n in french} == {"p"}
    english = await person.http.get("/api/notifications", headers={"Accept-Language": "en-GB, fr;q=0.5"})
    assert [(n["type"], n["title"], n["message"]) for n in french] == [row[:3] for row in FOUR[::-1]]
    assert [(n["title"], n["message"]) for n in english.json()["notifications"]] == [row[3:] for row in FOUR[::-1]]
    assert english.headers["content-language"] == "en"
    assert "Accept-Language" in english.headers["vary"]


async def test_one_some_and_all_are_marked_as_read(product: Product) -> None:
    person = product.person()
    notes = [await rung(product, person, *FOUR[0][:3], n) for n in range(6)]
    assert await unread(person) == 6
    for _ in range(2):
        assert (await person.http.post(f"/api/notifications/{notes[0]}/read")).status_code == 204
    some = await person.http.post("/api/notifications/read", json={"ids": [notes[1], "nobody", notes[0]]})
    assert some.json() == {"read": [notes[1], notes[0]], "notFound": ["nobody"]}
    assert await unread(person) == 4
    assert [n["id"] for n in await bell(person, unread="true")] == notes[:1:-1]
    assert [n["id"] for n in await bell(person, unread="false")] == notes[1::-1]
    assert (await person.http.post("/api/notifications/read", json={"all": True})).json()["read"] is None
    assert await unread(person) == 0
    late = await rung(product, person, *FOUR[0][:3], 9)
    assert [n["id"] for n in await bell(person, unread="true")] == [late]
    assert await unread(person) == 1


async def test_a_list_is_paged_without_gaps(product: Product) -> None:
    person = product.person()
    notes = [await rung(product, person, *FOUR[0][:3], n // 2) for n in range(5)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await person.http.get("/api/notifications", params={"limit": "2"} | cursor)).json()
        found += [note["id"] for note in page["notifications"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert sorted(found) == sorted(notes)
    assert len(found) == 5


async def test_what_was_deleted_rings_no_more(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    await product.until("SELECT 1 FROM notifications WHERE metadata->>'generationId' = $1", job_id)
    assert await unread(person) == 1
    await delete(product, person, job_id)
    assert await bell(person) == []
    assert await unread(person) == 0


async def test_somebody_elses_bell_is_not_heard_nor_marked(product: Product) -> None:
    person, other = product.person(), product.person()
    note = await rung(product, person, *FOUR[0][:3], 1)
    foreign = await other.http.post(f"/api/notifications/{note}/read")
    absent = await other.http.post("/api/notifications/nobody/read")
    assert (foreign.status_code, foreign.text) == (404, absent.text)
    assert (await other.http.post("/api/notifications/read", json={"ids": [note]})).json()["notFound"] == [note]
    await other.http.post("/api/notifications/read", json={"all": True})
    assert await unread(person) == 1
    assert await bell(other) == []


@pytest.mark.parametrize("body", [{}, {"all": True, "ids": ["a"]}, {"all": False}, {"ids": []}])
async def test_what_was_read_must_be_clear(product: Product, body: Any) -> None:
    assert (await product.person().http.post("/api/notifications/read", json=body)).status_code == 422


async def test_a_bell_that_is_known_is_not_sent_again(product: Product) -> None:
    person = product.person()
    note = await rung(product, person, *FOUR[0][:3], 1)
    for path in ("/api/notifications", "/api/notifications/unread-count"):
        etag = (await person.http.get(path)).headers["etag"]
        assert (await person.http.get(path, headers={"If-None-Match": etag})).status_code == 304
    await person.http.post(f"/api/notifications/{note}/read")
    assert (await person.http.get("/api/notifications", headers={"If-None-Match": etag})).status_code == 200
