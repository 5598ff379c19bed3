"""Favourites and albums: what people keep of what was made for them."""

import json
from typing import Any

import pytest

from tests.support.library import all_pages, delete, listed, made_by_prisma, minutes
from tests.support.product import Product


async def test_a_favourite_is_kept_listed_and_forgotten(product: Product) -> None:
    person = product.person()
    old = await made_by_prisma(product, person, "old", createdAt=minutes(0))
    new = await made_by_prisma(product, person, "new", "video", createdAt=minutes(9))
    for generation_id in (new, old, old):
        answer = await person.http.put(f"/api/favourites/{generation_id}")
        assert answer.json() == {"id": generation_id, "favourite": True}
    assert await all_pages(person, "/api/favourites", limit=1) == [old, new]
    assert await all_pages(person, favourite="true", limit=1) == [new, old]
    assert (await person.http.get(f"/api/gallery/{old}")).json()["favourite"] is True
    await delete(product, person, old)
    assert await listed(person, "/api/favourites") == [new]
    for _ in range(2):
        assert (await person.http.delete(f"/api/favourites/{new}")).json() == {"id": new, "favourite": False}
    assert await listed(person, "/api/favourites") == []


async def test_in_bulk_foreign_ids_are_named_and_never_applied(product: Product) -> None:
    person, other = product.person(), product.person()
    mine = [await made_by_prisma(product, person, f"p{n}") for n in range(3)]
    foreign = await made_by_prisma(product, other, "theirs")
    await person.http.put(f"/api/favourites/{mine[2]}")
    answer = await person.http.post(
        "/api/favourites", json={"add": [mine[0], foreign, "nobody", mine[0], mine[1]], "remove": [mine[2]]}
    )
    assert answer.json() == {"added": mine[:2], "removed": [mine[2]], "notFound": [foreign, "nobody"]}
    assert set(await listed(person, "/api/favourites")) == set(mine[:2])
    assert await listed(other, "/api/favourites") == []
    kept = await product.row("SELECT count(*) FROM sorami.favourites WHERE generation_id = $1", foreign)
    assert kept["count"] == 0


async def test_somebody_elses_generation_is_no_favourite_and_in_no_album(product: Product) -> None:
    person, other = product.person(), product.person()
    foreign = await made_by_prisma(product, other, "theirs")
    theirs = (await other.http.post("/api/albums", json={"name": "Theirs", "items": [foreign]})).json()["id"]
    album = (await person.http.post("/api/albums", json={"name": "Mine", "items": [foreign]})).json()
    assert (album["count"], album["notFound"]) == (0, [foreign])
    mine = album["id"]
    refused: list[tuple[str, str, Any]] = [
        ("PUT", f"/api/favourites/{foreign}", None),
        ("DELETE", f"/api/favourites/{foreign}", None),
        ("PUT", f"/api/albums/{mine}/items/{foreign}", None),
        ("DELETE", f"/api/albums/{mine}/items/{foreign}", None),
        ("GET", f"/api/albums/{theirs}", None),
        ("PATCH", f"/api/albums/{theirs}", {"name": "x"}),
        ("DELETE", f"/api/albums/{theirs}", None),
        ("GET", f"/api/albums/{theirs}/items", None),
        ("POST", f"/api/albums/{theirs}/items", {"remove": [foreign]}),
        ("PUT", f"/api/albums/{theirs}/items/{foreign}", None),
        ("DELETE", f"/api/albums/{theirs}/items/{foreign}", None),
        ("GET", f"/api/gallery?album={theirs}", None),
    ]
    for method, path, body in refused:
        answer = await person.http.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
        absent = path.replace(theirs, "nobody").replace(foreign, "nobody")
        assert (await person.http.request(method, absent, json=body)).text == answer.text
    assert await listed(other, f"/api/albums/{theirs}/items") == [foreign]


async def test_an_album_is_made_filled_changed_and_deleted(product: Product) -> None:
    person = product.person()
    made = [await made_by_prisma(product, person, f"p{n}", createdAt=minutes(n)) for n in range(4)]
    answer = await person.http.post("/api/albums", json={"name": " Été ", "description": "à la mer", "items": made[:2]})
    album = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/albums/{album['id']}")
    assert (album["name"], album["count"], album["coverId"]) == ("Été", 2, made[1])
    assert album["cover"]["fileUrl"] == "https://cdn.example/x.png"
    path = f"/api/albums/{album['id']}"

    changed = await person.http.post(f"{path}/items", json={"add": [made[2], made[3], made[1]], "remove": [made[0]]})
    assert changed.json() == {"added": [made[2], made[3], made[1]], "removed": [made[0]], "notFound": []}
    assert (await person.http.put(f"{path}/items/{made[0]}")).status_code == 204
    assert (await person.http.delete(f"{path}/items/{made[2]}")).status_code == 204
    assert await all_pages(person, f"{path}/items", limit=1) == [made[3], made[1], made[0]]
    assert await all_pages(person, album=album["id"], limit=2) == [made[3], made[1], made[0]]

    covered = await person.http.patch(path, json={"cover_id": made[0], "description": None})
    assert (covered.json()["coverId"], covered.json()["description"]) == (made[0], None)
    outside = await person.http.patch(path, json={"cover_id": made[2]})
    assert (outside.status_code, outside.json()["code"]) == (422, "cover_not_in_album")
    await delete(product, person, made[0])
    shown = (await person.http.get(path)).json()
    assert (shown["count"], shown["coverId"]) == (2, made[3])

    assert (await person.http.delete(path)).status_code == 204
    assert (await person.http.get(path)).status_code == 404
    assert made[3] in await listed(person)


async def test_albums_are_paged_newest_first(product: Product) -> None:
    person = product.person()
    made = [(await person.http.post("/api/albums", json={"name": f"A{n}"})).json()["id"] for n in range(5)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await person.http.get("/api/albums", params={"limit": "2"} | cursor)).json()
        found += [album["id"] for album in page["albums"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert found == made[::-1]


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/api/albums", {}, "name_required"),
        ("POST", "/api/albums", {"name": "  "}, "name_empty"),
        ("POST", "/api/albums", {"name": "a" * 201}, "name_too_long"),
        ("POST", "/api/albums", {"name": "a\x00"}, "text_control_character"),
        ("POST", "/api/albums", {"name": "a\ud800"}, "name_not_unicode"),
        ("POST", "/api/albums", {"name": "a", "owner_id": "x"}, "unknown_field"),
        ("POST", "/api/albums", {"name": "a", "items": ["x\x00"]}, "items_invalid"),
        ("POST", "/api/favourites", {}, "ids_empty"),
        ("POST", "/api/favourites", {"add": ["a"], "remove": ["a"]}, "ids_contradict"),
        ("POST", "/api/favourites", {"add": "a"}, "not_a_list"),
        ("POST", "/api/favourites", {"add": ["a"] * 1001}, "add_too_long"),
    ],
)
async def test_a_bad_body_gets_its_own_code(product: Product, method: str, path: str, body: Any, code: str) -> None:
    answer = await product.person().http.request(
        method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
