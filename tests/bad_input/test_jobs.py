"""Rows H13 to H34 and H39 to H41: each wrong request about jobs gets its own code from the running gateway.

The name of the row stands first in the id of each test.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.ids import new_id
from contracts.kinds import IMAGE, STYLES
from tests.support.gateways import more_gateways
from tests.support.product import Person, Product, frames

JSON = {"content-type": "application/json"}
MOST = 64 * 1024


@dataclass(frozen=True)
class Row:
    """One wrong body and what it must get."""

    name: str
    body: bytes
    status: int
    code: str
    headers: dict[str, str] = field(default_factory=dict)


def wrong(name: str, code: str, **fields: Any) -> Row:
    """A row whose body is valid but for these fields."""
    return Row(name, json.dumps({"prompt": "a"} | fields, ensure_ascii=False).encode(), 422, code)


def raw(name: str, body: bytes, status: int, code: str, **headers: str) -> Row:
    return Row(name, body, status, code, {key.replace("_", "-"): value for key, value in headers.items()})


FAMILY = "👨‍👩‍👧‍👦"  # 7 code points
ROWS = [
    raw("H13-list", b"[]", 422, "body_not_object"),
    raw("H13-null", b"null", 422, "body_not_object"),
    raw("H13-string", b'"x"', 422, "body_not_object"),
    raw("H13-empty", b"", 422, "body_not_object"),
    raw("H14-invalid", b'{"prompt": ', 400, "json_invalid"),
    raw("H14-NaN", b'{"prompt": NaN}', 400, "json_invalid"),
    raw("H14-1e400", b'{"prompt": "a", "num_images": 1e400}', 400, "json_invalid"),
    raw("H14-nested", b"[" * 60_000, 400, "json_invalid"),
    raw("H15-prompt-twice", b'{"prompt": "a", "prompt": "b"}', 400, "json_duplicate_key"),
    raw("H16-half-a-pair", b'{"prompt": "a\\ud800"}', 422, "prompt_not_unicode"),
    raw("H17-nul-in-prompt", b'{"prompt": "a\\u0000"}', 422, "prompt_control_character"),
    wrong("H17-nul-in-model", "model_control_character", model="a\x00"),
    wrong("H17-nul-in-caption", "caption_control_character", caption="a\x00"),
    wrong("H17-nul-in-user", "user_id_control_character", user_id="a\x00"),
    raw("H18-latin-1", b'{"prompt": "\xff"}', 400, "json_invalid"),
    wrong("H19-empty", "prompt_empty", prompt=""),
    wrong("H19-blanks", "prompt_empty", prompt=" \n\t "),
    wrong("H19-invisible", "prompt_empty", prompt="\u200b\u202e\u2066"),
    wrong("H20-10001", "prompt_too_long", prompt="x" * 10_001),
    wrong("H20-families", "prompt_too_long", prompt=FAMILY * 1_429),
    raw("H21-64-KiB-and-one", b'{"prompt": "' + b"a" * MOST + b'"}', 413, "body_too_large"),
    raw("H21-gzip", gzip.compress(b'{"prompt": "a"}'), 415, "content_encoding_unsupported", content_encoding="gzip"),
    raw("H22-text", b'{"prompt": "a"}', 415, "content_type_unsupported", content_type="text/plain"),
    raw("H22-form", b"prompt=a", 415, "content_type_unsupported", content_type="application/x-www-form-urlencoded"),
    raw("H22-none", b'{"prompt": "a"}', 415, "content_type_unsupported", content_type=""),
    *(wrong(f"H23-{n}", "num_images_out_of_range", num_images=n) for n in (0, -1, 5, 2**31, 2**63)),
    *(wrong(f"H23-{n!r}", "not_an_integer", num_images=n) for n in (True, "2", 2.5, None)),
    *(
        wrong(f"H24-{size}", "size_unsupported", size=size)
        for size in ("0x0", "99999x99999", "1024X1024", "1024×1024", "1024x", "１０２４x1024")
    ),
    *(wrong(f"H25-{form!r}", "format_unsupported", format=form) for form in ("SVG", "GIF", "PNG\n")),
    wrong("H26-style", "style_unsupported", style="cubist-from-mars"),
    wrong("H26-quality", "quality_unsupported", quality="best"),
    *(
        wrong(f"H27-{name}", "unknown_field", **{name: "x"})
        for name in ("authorId", "status", "cost", "organizationId")
    ),
    wrong("H27-unsafe-id", "job_id_invalid", job_id="../../etc"),
    wrong("H28-model", "model_unknown", model="imagined"),
    wrong("H41-priority", "priority_out_of_range", priority=11),
    wrong("H41-priority-low", "priority_out_of_range", priority=-11),
    wrong("H41-start", "start_within_seconds_out_of_range", start_within_seconds=0),
    wrong("H41-finish", "finish_within_seconds_out_of_range", finish_within_seconds=10**9),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_wrong_request_gets_its_own_code_and_is_never_echoed(product: Product, row: Row) -> None:
    headers = {name: value for name, value in (JSON | row.headers).items() if value}
    answer = await product.person().http.post("/api/images/generate", content=row.body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (row.status, row.code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 2_000


VIDEO_ROWS = [
    *(wrong(f"H23-video-{n}", "num_videos_out_of_range", num_videos=n) for n in (0, 3, 2**63)),
    *(wrong(f"H23-video-{n!r}", "not_an_integer", num_videos=n) for n in (True, "2", 2.5, None)),
    *(wrong(f"H41-duration-{n}", "duration_seconds_out_of_range", duration_seconds=n) for n in (0, 3601)),
    wrong("H41-fps-1000", "fps_out_of_range", fps=1000),
    wrong("H41-aspect", "size_unsupported", size="16/9"),
]


@pytest.mark.parametrize("row", VIDEO_ROWS, ids=lambda row: row.name)
async def test_a_wrong_request_for_a_video_gets_its_own_code(product: Product, row: Row) -> None:
    answer = await product.person().http.post("/api/videos/generate", content=row.body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (row.status, row.code)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.name[:3] in ("H24", "H26", "H28")], ids=lambda row: row.name
)
async def test_what_is_supported_is_told(product: Product, row: Row) -> None:
    answer = await product.person().http.post("/api/images/generate", content=row.body, headers=JSON)
    allowed = {"H24": IMAGE.sizes, "H26": STYLES if "style" in row.name else ("draft",), "H28": ("instant",)}
    assert all(value in answer.json()["detail"] for value in allowed[row.name[:3]])


async def test_H20_the_limit_and_the_length_are_told(product: Product) -> None:
    answer = await product.person().http.post("/api/images/generate", json={"prompt": FAMILY * 1_429})
    assert "10003" in answer.json()["detail"]
    assert "10000" in answer.json()["detail"]


async def test_H21_a_body_in_pieces_is_cut_off_before_it_is_read(product: Product) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 4_096
            yield b" " * 4_096

    answer = await product.person().http.post("/api/images/generate", content=pieces(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_H25_a_format_in_small_letters_is_the_same(product: Product) -> None:
    person = product.person()
    job_id = await person.ask(format="png")
    row = await product.row("SELECT format FROM image_generations WHERE id = $1", job_id)
    assert row["format"] == "PNG"


@pytest.mark.parametrize("whose", ["H27-of-somebody-else", "H27-of-another-body", "H27-of-a-deleted-job"])
async def test_an_id_that_is_taken(product: Product, whose: str) -> None:
    person, other = product.person(), product.person()
    owner = other if whose == "H27-of-somebody-else" else person
    job_id = await owner.ask()
    if whose == "H27-of-a-deleted-job":
        await delete(product, owner, job_id)
    prompt = "another" if whose == "H27-of-another-body" else "Un chat mignon"
    answer = await person.http.post(
        "/api/images/generate", json={"prompt": prompt, "model": "instant", "job_id": job_id}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "job_id_taken")


async def test_H27_a_user_id_counts_only_for_who_may_act_for_others(product: Product) -> None:
    person, other = product.person(), product.person()
    job_id = await person.ask(user_id=await other.user_id())
    row = await product.row("SELECT owner_id FROM sorami.jobs WHERE id = $1", job_id)
    assert row["owner_id"] == await person.user_id()


@pytest.mark.parametrize(
    "key",
    [b"", b"a" * 256, "clé".encode(), "日本".encode(), b"a\x01b", b"a\tb"],
    ids=["H29-empty", "H29-256", "H29-accent", "H29-japanese", "H29-control", "H29-tab"],
)
@pytest.mark.parametrize("path", ["/api/images/generate", "/api/batches", "/api/jobs/x/retry"])
async def test_an_idempotency_key_that_cannot_be_one(product: Product, key: bytes, path: str) -> None:
    body = {"prompt": "a"} if path.endswith("generate") else {}
    answer = await product.person().http.post(path, json=body, headers=[(b"idempotency-key", key)])
    assert answer.status_code == 400
    # A control character in a header may be refused before the gateway sees it.
    assert key == b"a\x01b" or answer.json()["code"] == "idempotency_key_invalid"


async def test_H30_a_key_with_another_body(product: Product) -> None:
    person = product.person()
    headers = {"Idempotency-Key": "h30"}
    await person.http.post("/api/images/generate", json={"prompt": "a", "model": "instant"}, headers=headers)
    answer = await person.http.post("/api/images/generate", json={"prompt": "b"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


@pytest.fixture(scope="module")
async def strict(product: Product) -> AsyncIterator[str]:
    """A gateway that lets everybody have ten jobs a minute and two open ones at a time."""
    async with more_gateways(product, 1, SORAMI_JOBS_PER_MINUTE="10", SORAMI_OPEN_JOBS="11") as [url]:
        yield url


async def test_H31_the_eleventh_request_of_a_minute(product: Product, strict: str) -> None:
    person = product.person()
    body = {"prompt": "a", "model": "instant"}
    answers = [await person.http.post(f"{strict}/api/images/generate", json=body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
    assert left == [f"r={number}" for number in range(9, -1, -1)] + ["r=0"]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"user";q=10;w=60'}


async def test_H31_one_open_job_too_many(product: Product, strict: str) -> None:
    person = product.person()
    owner = await person.user_id()
    for _ in range(11):
        await product.pool.execute(
            """INSERT INTO sorami.jobs (id, kind, owner_id, request, request_hash, finish_by, status)
               VALUES ($1, 'image', $2, '{}', '', now() + interval '1 hour', 'GENERATING')""",
            new_id(),
            owner,
        )
    answer = await person.http.post(f"{strict}/api/images/generate", json={"prompt": "a", "model": "instant"})
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
    assert int(answer.headers["retry-after"]) >= 1
    await product.pool.execute("UPDATE sorami.jobs SET status = 'FAILED' WHERE owner_id = $1", owner)


ODD_IDS = {
    "H32-path": "..%2F..%2Fetc%2Fpasswd",
    "H32-10-kB": "x" * 10_000,
    "H32-uuid": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    "H32-emoji": "🐈",
    "H32-nul": "a%00b",
    "H32-sql": "'%20OR%201=1--",
    "H32-not-utf-8": "%ff%fe",
}
READS = ("/api/images/{}/status", "/api/videos/{}/result", "/api/jobs/{}", "/api/jobs/{}/events")
WRITES = ("/api/images/{}/cancel", "/api/jobs/{}/cancel", "/api/jobs/{}/retry")


@pytest.mark.parametrize("odd", ODD_IDS.values(), ids=ODD_IDS.keys())
async def test_an_odd_id_is_not_there(product: Product, odd: str) -> None:
    person = product.person()
    await person.user_id()
    absent = (await person.http.get("/api/jobs/nobody")).text
    for path in READS:
        answer = await person.http.get(path.format(odd))
        assert (answer.status_code, answer.text) in ((404, absent), (431, answer.text)) or odd.startswith(".."), path
        assert answer.status_code in (404, 431)
    for path in WRITES:
        assert (await person.http.post(path.format(odd))).status_code in (404, 431), path


async def test_H32_not_yours_and_deleted_look_like_not_there(product: Product) -> None:
    owner, other = product.person(), product.person()
    await other.user_id()
    job_id, gone = await owner.ask(), await owner.ask()
    await owner.ended(job_id)
    await owner.ended(gone)
    await delete(product, owner, gone)
    for path in (*READS, "/api/images/{}/result"):
        absent = await other.http.get(path.format("nobody"))
        assert absent.json()["code"] == "job_not_found"
        assert (await other.http.get(path.format(job_id))).text == absent.text
        if "events" not in path:
            assert (await owner.http.get(path.format(gone))).text == absent.text
    for path in WRITES:
        absent = await other.http.post(path.format("nobody"))
        assert (absent.status_code, absent.json()["code"]) == (404, "job_not_found")
        assert (await other.http.post(path.format(job_id))).text == absent.text
        assert (await owner.http.post(path.format(gone))).text == absent.text


LISTS = ("/api/images/user", "/api/jobs", "/api/batches")


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "bm90LWpzb24", "W251bGxd", "%00"], ids=lambda c: f"H33-{c}")
@pytest.mark.parametrize("path", LISTS)
async def test_a_tampered_cursor(product: Product, path: str, cursor: str) -> None:
    answer = await product.person().http.get(path, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_H33_a_cursor_of_somebody_else(product: Product) -> None:
    owner, other = product.person(), product.person()
    await asyncio.gather(owner.ask(), owner.ask())
    cursor = (await owner.http.get("/api/jobs", params={"limit": "1"})).json()["next_cursor"]
    answer = await other.http.get("/api/jobs", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize("limit", ["0", "-1", "1e9", "10001", "ten", "٣", ""], ids=lambda limit: f"H33-{limit}")
@pytest.mark.parametrize("path", LISTS)
async def test_a_page_size_out_of_range(product: Product, path: str, limit: str) -> None:
    answer = await product.person().http.get(path, params={"limit": limit})
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_out_of_range")


@pytest.mark.parametrize("last", ["abc", str(2**63), "-1", "1.5", "٣"], ids=lambda last: f"H34-{last}")
async def test_a_last_event_id_that_is_none(product: Product, last: str) -> None:
    person = product.person()
    job_id = await person.ask()
    for path in ("/api/events", f"/api/images/{job_id}/events", f"/api/jobs/{job_id}/events"):
        answer = await person.http.get(path, headers=[(b"last-event-id", last.encode())])
        assert (answer.status_code, answer.json()["code"]) == (400, "last_event_id_invalid")


async def test_H34_an_id_of_the_future_gets_what_there_is(product: Product) -> None:
    person = product.person()
    await person.ended(await person.ask())
    async with person.http.stream("GET", "/api/events", headers={"Last-Event-ID": str(10**15)}) as answer:
        first = await anext(frames(answer))
    assert (first.event, first.data) == ("snapshot", {"jobs": []})


async def test_H39_a_finished_job_is_not_cancelled(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    answer = await person.http.post(f"/api/images/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_already_finished")
    assert answer.json()["job_status"] == "COMPLETED"


async def test_H40_a_result_is_never_an_empty_success(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=60)
    answer = await person.http.get(f"/api/videos/{job_id}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_finished")
    await person.http.post(f"/api/jobs/{job_id}/cancel")
    await person.ended(job_id, "video", within=10)
    answer = await person.http.get(f"/api/videos/{job_id}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_has_no_result")
    assert answer.json()["failure"]["code"] == "cancelled"


@pytest.mark.parametrize("wait", ["-1", "61", "soon", "1.5", "٣", ""], ids=lambda wait: f"H41-wait-{wait}")
async def test_a_wait_out_of_range(product: Product, wait: str) -> None:
    answer = await product.person().http.get("/api/jobs/x", params={"wait": wait})
    assert (answer.status_code, answer.json()["code"]) == (422, "wait_out_of_range")


async def delete(product: Product, owner: Person, job_id: str) -> None:
    await product.pool.execute(
        "INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after) VALUES ($1, 'image', $2, now())",
        job_id,
        await owner.user_id(),
    )
