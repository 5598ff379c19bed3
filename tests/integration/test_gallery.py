"""The gallery: both kinds in one list, pages without gaps, filters, lineage, and only what is one's own."""

import pytest

from tests.support.library import all_pages, delete, listed, made_by_prisma, minutes
from tests.support.product import Product


async def test_images_and_videos_stand_in_one_list_newest_first_and_apart(product: Product) -> None:
    person = product.person()
    kinds = ["image", "video", "image", "video", "image"]
    made = [await made_by_prisma(product, person, f"p{n}", kind, createdAt=minutes(n)) for n, kind in enumerate(kinds)]
    assert await listed(person) == made[::-1]
    assert await all_pages(person) == made[::-1]
    assert await all_pages(person, sort="oldest") == made
    assert await all_pages(person, kind="video", limit=1) == [made[3], made[1]]
    item = (await person.http.get("/api/gallery")).json()["generations"][1]
    assert (item["kind"], item["videos"][0]["fileUrl"]) == ("video", "https://cdn.example/x.png")


async def test_rows_of_the_same_millisecond_are_paged_without_gaps(product: Product) -> None:
    person = product.person()
    made = [await made_by_prisma(product, person, "same", kind) for kind in ["image", "video"] * 4]
    assert await all_pages(person, limit=3) == sorted(made, reverse=True)
    assert await all_pages(person, limit=3, sort="oldest") == sorted(made)


async def test_a_job_of_ours_is_shown_with_its_place_among_others(product: Product) -> None:
    person = product.person()
    parent = await person.ask(prompt="La mère")
    await person.ended(parent)
    child = await person.ask(prompt="L'enfant")
    await person.ended(child)
    again = await person.ask(prompt="Encore")
    await person.ended(again)
    await product.pool.execute("UPDATE sorami.jobs SET parent_id = $1 WHERE id = $2", parent, child)
    await product.pool.execute("UPDATE sorami.jobs SET retry_of = $1 WHERE id = $2", child, again)

    one = (await person.http.get(f"/api/gallery/{child}")).json()
    above = (await person.http.get(f"/api/gallery/{parent}")).json()
    retry = (await person.http.get(f"/api/gallery/{again}")).json()

    assert (one["jobStatus"], one["parentId"], one["parent"]["prompt"]) == ("COMPLETED", parent, "La mère")
    assert [item["id"] for item in above["children"]] == [child]
    assert [item["id"] for item in one["retries"]] == [again]
    assert (retry["retryOf"], retry["retried"]["id"]) == (child, child)
    assert await listed(person, parent=parent) == [child]
    assert await listed(person, source="api") == [again, child, parent]
    await delete(product, person, parent)
    assert (await person.http.get(f"/api/gallery/{child}")).json()["parent"] is None


async def test_a_filter_lets_through_what_it_says_and_nothing_else(product: Product) -> None:
    person = product.person()
    plain = await made_by_prisma(product, person, "plain", createdAt=minutes(0))
    inked = await made_by_prisma(product, person, "ink", style="ink", quality="high", createdAt=minutes(1))
    small = await made_by_prisma(product, person, "small", size="256x256", format="WEBP", createdAt=minutes(2))
    model = await made_by_prisma(product, person, "model", model="imagen-4", createdAt=minutes(3))
    failed = await made_by_prisma(product, person, "failed", status="FAILED", progress=0, createdAt=minutes(4))
    waiting = await made_by_prisma(product, person, "open", status="PENDING", progress=0, createdAt=minutes(5))
    gone = await made_by_prisma(product, person, "gone", createdAt=minutes(6))
    await delete(product, person, gone)

    wanted = {
        "style=ink": [inked],
        "quality=high": [inked],
        "size=256x256": [small],
        "format=WEBP": [small],
        "model=imagen-4": [model],
        "model=imagen-4&model=other": [model],
        "status=FAILED": [failed],
        "status=PENDING&status=FAILED": [waiting, failed],
        "status=any": [waiting, failed, model, small, inked, plain],
        "status=CANCELLED": [],
        "source=application": [model, small, inked, plain],
        "source=api": [],
        "source=backend-direct": [],
        "created_after=2026-05-01T12:02:00Z": [model, small],
        "created_before=2026-05-01T14:01:00%2B02:00": [plain],
        "created_after=2026-05-02": [],
        "deleted=true": [gone],
        "deleted=true&kind=video": [],
        "style=ink&quality=draft": [],
        "parent=nobody": [],
        "favourite=false": [model, small, inked, plain],
    }
    for query, ids in wanted.items():
        answer = await person.http.get(f"/api/gallery?{query}")
        assert [item["id"] for item in answer.json()["generations"]] == ids, query
    trash = (await person.http.get("/api/gallery?deleted=true")).json()["generations"]
    assert trash[0]["deletedAt"] is not None


async def test_what_a_backend_reported_is_found_by_its_source(product: Product) -> None:
    person = product.person()
    mine = [await person.ask(prompt=f"b{n}") for n in range(3)]
    for job_id in mine:
        await person.ended(job_id)
    await product.pool.execute("UPDATE sorami.jobs SET origin = 'backend-direct' WHERE id = ANY($1::text[])", mine[:2])
    assert await all_pages(person, limit=1, source="backend-direct") == [mine[1], mine[0]]


async def test_a_cancelled_job_is_told_from_a_failed_one(product: Product) -> None:
    person = product.person()
    job_id = await made_by_prisma(product, person, "stopped", status="FAILED", progress=0)
    await product.pool.execute(
        """INSERT INTO sorami.jobs (id, kind, owner_id, status, request, request_hash)
           VALUES ($1, 'image', $2, 'CANCELLED', '{}', '')""",
        job_id,
        await person.user_id(),
    )
    assert await listed(person, status="CANCELLED") == [job_id]
    assert await listed(person, status="FAILED") == []


async def test_only_ones_own_is_shown(product: Product) -> None:
    owner, other = product.person(), product.person()
    mine = await made_by_prisma(product, owner, "mine")
    foreign = await other.http.get(f"/api/gallery/{mine}")
    absent = await other.http.get("/api/gallery/nobody")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "generation_not_found")
    assert foreign.text == absent.text
    assert await listed(other) == []
    assert await listed(other, q="mine") == []
    assert await listed(other, parent=mine) == []


async def test_nobody_sees_nothing(product: Product) -> None:
    person = product.person()
    for path in ("gallery", "favourites", "albums", "shares", "notifications", "notifications/unread-count"):
        answer = await person.http.get(f"/api/{path}", headers={"Authorization": ""})
        assert answer.status_code == 401, path


@pytest.mark.parametrize("path", ["gallery", "favourites", "albums", "shares", "notifications"])
@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"cursor": "x"}, 400, "cursor_invalid"),
        ({"cursor": "bm90LWpzb24"}, 400, "cursor_invalid"),
        *(({"limit": text}, 422, "limit_out_of_range") for text in ("0", "10001", "-1", "1e9", "٣")),
        ({"sorted": "x"}, 422, "unknown_field"),
    ],
)
async def test_a_bad_page_is_refused_by_every_list(
    product: Product, path: str, parameters: dict[str, str], status: int, code: str
) -> None:
    answer = await product.person().http.get(f"/api/{path}", params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_cursor_of_somebody_else_or_of_another_list_is_refused(product: Product) -> None:
    person, other = product.person(), product.person()
    for n in range(3):
        await made_by_prisma(product, person, f"p{n}", createdAt=minutes(n))
    cursor = (await person.http.get("/api/gallery?limit=1")).json()["nextCursor"]
    for who, query in ((other, ""), (person, "&sort=oldest"), (person, "&q=p1"), (person, "&status=any")):
        answer = await who.http.get(f"/api/gallery?limit=1&cursor={cursor}{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid"), query


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sort=relevance", "sort_unsupported"),
        ("sort=oldest&q=chat", "sort_unsupported"),
        ("sort=up", "sort_unsupported"),
        ("q=%20-_%20", "q_empty"),
        ("q=", "q_empty"),
        ("q=" + "a" * 501, "q_too_long"),
        ("kind=sound", "kind_unsupported"),
        ("status=DONE", "status_unsupported"),
        ("created_after=yesterday", "created_after_invalid"),
        ("created_before=0.5", "created_before_invalid"),
        ("album=../x", "id_invalid"),
        ("style=%00", "style_control_character"),
        ("favourite=perhaps", "not_a_boolean"),
        ("q=a&q=b", "q_repeated"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "date_out_of_range"),
    ],
)
async def test_a_bad_filter_gets_its_own_code(product: Product, query: str, code: str) -> None:
    answer = await product.person().http.get(f"/api/gallery?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_a_page_that_is_known_is_not_sent_again(product: Product) -> None:
    person = product.person()
    await made_by_prisma(product, person, "once")
    first = await person.http.get("/api/gallery")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for header in (etag, f'"other", {etag}', "*", etag.removeprefix("W/")):
        again = await person.http.get("/api/gallery", headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), header
    await made_by_prisma(product, person, "twice")
    assert (await person.http.get("/api/gallery", headers={"If-None-Match": etag})).status_code == 200
