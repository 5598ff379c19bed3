"""Two gateways over one database are one: they make one job of one key and agree on every limit."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from contracts.ids import new_id
from tests.support.gateways import more_gateways
from tests.support.product import Person, Product

PER_MINUTE, OF_ORGANIZATION, OPEN = 40, 60, 45
ASKED = {"prompt": "Un chat", "model": "instant"}


@pytest.fixture(scope="module")
async def two(product: Product) -> AsyncIterator[list[str]]:
    limits = {
        "SORAMI_JOBS_PER_MINUTE": PER_MINUTE,
        "SORAMI_ORGANIZATION_JOBS_PER_MINUTE": OF_ORGANIZATION,
        "SORAMI_OPEN_JOBS": OPEN,
    }
    async with more_gateways(product, 2, **{name: str(value) for name, value in limits.items()}) as urls:
        yield urls


async def post_all(
    person: Person, urls: list[str], count: int, body: Mapping[str, object], **headers: str
) -> list[httpx.Response]:
    """Post the same body from everywhere at once, to each gateway in turn."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return list(
        await asyncio.gather(
            *(
                person.http.post(f"{urls[number % len(urls)]}/api/images/generate", json=body, headers=sent)
                for number in range(count)
            )
        )
    )


async def test_two_hundred_posts_with_one_key_make_one_job_and_get_one_answer(product: Product, two: list[str]) -> None:
    person = product.person()
    await person.user_id()
    answers = await post_all(person, two, 200, ASKED, Idempotency_Key="once")
    assert Counter(answer.status_code for answer in answers) == {202: 200}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len([answer for answer in answers if "idempotency-replayed" not in answer.headers]) == 1
    rows = await product.rows("SELECT id FROM sorami.jobs WHERE owner_id = $1", await person.user_id())
    assert [row["id"] for row in rows] == [answers[0].json()["job_id"]]


async def test_two_hundred_batches_with_one_key_are_one_batch(product: Product, two: list[str]) -> None:
    person = product.person()
    await person.user_id()
    body = {"kind": "image", "prompt": "Un chat", "variations": 3, "model": "instant"}
    answers = await asyncio.gather(
        *(
            person.http.post(f"{two[number % 2]}/api/batches", json=body, headers={"Idempotency-Key": "once"})
            for number in range(60)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {202: 60}
    assert len({answer.text for answer in answers}) == 1
    assert len(await product.rows("SELECT 1 FROM sorami.jobs WHERE owner_id = $1", await person.user_id())) == 3
    assert len(await product.rows("SELECT 1 FROM sorami.batches WHERE owner_id = $1", await person.user_id())) == 1


async def test_a_minute_of_a_user_is_the_same_minute_at_both(product: Product, two: list[str]) -> None:
    person = product.person()
    await person.user_id()
    answers = await post_all(person, two, 200, ASKED)
    assert Counter(answer.status_code for answer in answers) == {202: PER_MINUTE, 429: 200 - PER_MINUTE}
    assert len(await product.rows("SELECT 1 FROM sorami.jobs WHERE owner_id = $1", await person.user_id())) == (
        PER_MINUTE
    )
    taken = [answer for answer in answers if answer.status_code == 202]
    left = sorted(int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0]) for answer in taken)
    assert left[0] == 0
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-policy"] == f'"user";q={PER_MINUTE};w=60'
    assert refused.headers["ratelimit"].startswith('"user";r=0;t=')


async def test_a_new_minute_begins_afresh(product: Product, two: list[str]) -> None:
    person = product.person()
    owner = await person.user_id()
    await post_all(person, two, PER_MINUTE + 1, ASKED)
    await product.pool.execute(
        "UPDATE sorami.allowances SET window_start = now() - interval '61 seconds' WHERE subject = $1", f"u:{owner}"
    )
    [answer] = await post_all(person, two, 1, ASKED)
    assert answer.status_code == 202
    assert f'"user";r={PER_MINUTE - 1};t=' in answer.headers["ratelimit"]


async def test_an_answer_that_is_given_again_costs_nothing(product: Product, two: list[str]) -> None:
    person = product.person()
    await person.user_id()
    first = await post_all(person, two, 1, ASKED, Idempotency_Key="first")
    await post_all(person, two, PER_MINUTE, ASKED)
    [refused] = await post_all(person, two, 1, ASKED, Idempotency_Key="second")
    [again] = await post_all(person, two, 1, ASKED, Idempotency_Key="first")
    assert (refused.status_code, again.status_code, again.text) == (429, 202, first[0].text)


async def test_an_organisation_shares_its_minute(product: Product, two: list[str]) -> None:
    people = [product.person(), product.person()]
    organization = new_id()
    await product.pool.execute("INSERT INTO organizations (id, name) VALUES ($1, 'Chats')", organization)
    for person in people:
        await product.pool.execute(
            'INSERT INTO organization_memberships (id, "userId", "organizationId") VALUES ($1, $2, $3)',
            new_id(),
            await person.user_id(),
            organization,
        )
    every = await asyncio.gather(*(post_all(person, two, PER_MINUTE, ASKED) for person in people))
    answers = [answer for answers in every for answer in answers]
    assert Counter(answer.status_code for answer in answers)[202] == OF_ORGANIZATION
    rows = await product.rows("SELECT 1 FROM sorami.jobs WHERE organization_id = $1", organization)
    assert len(rows) == OF_ORGANIZATION


async def test_open_jobs_are_counted_together_and_room_comes_back(product: Product, two: list[str]) -> None:
    person = product.person()
    owner = await person.user_id()
    kept = 30
    await fill_with_open_jobs(product, owner, kept)
    slow = {"prompt": "Waves", "model": "procedural-1", "size": "2048x2048", "num_images": 4}
    answers = await post_all(person, two, PER_MINUTE, slow)
    assert Counter(answer.status_code for answer in answers) == {202: OPEN - kept, 429: PER_MINUTE - (OPEN - kept)}
    assert {a.json()["code"] for a in answers if a.status_code == 429} == {"quota_exceeded"}
    assert {a.headers["retry-after"] for a in answers if a.status_code == 429} == {"5"}
    for answer in answers:
        if answer.status_code == 202:
            await person.http.post(f"/api/jobs/{answer.json()['job_id']}/cancel")
    await product.pool.execute(
        "UPDATE sorami.jobs SET status = 'FAILED' WHERE owner_id = $1 AND model = 'nobody-renders-this'", owner
    )
    await product.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT FROM sorami.jobs WHERE owner_id = $1 AND status = 'PENDING')", owner
    )
    await product.pool.execute(
        "UPDATE sorami.allowances SET window_start = now() - interval '61 seconds' WHERE subject = $1", f"u:{owner}"
    )
    [answer] = await post_all(person, two, 1, ASKED)
    assert answer.status_code == 202


async def test_a_batch_beyond_the_limit_is_refused_whole(product: Product, two: list[str]) -> None:
    person = product.person()
    owner = await person.user_id()
    body = {"kind": "image", "prompt": "Un chat", "variations": PER_MINUTE - 5, "model": "instant"}
    first = await person.http.post(f"{two[0]}/api/batches", json=body)
    second = await person.http.post(f"{two[1]}/api/batches", json=body)
    assert (first.status_code, second.status_code, second.json()["code"]) == (202, 429, "rate_limited")
    assert '"user";r=5;t=' in second.headers["ratelimit"]
    assert len(await product.rows("SELECT 1 FROM sorami.jobs WHERE owner_id = $1", owner)) == PER_MINUTE - 5
    # What the refused batch would have taken is still there.
    answers = await post_all(person, two, 6, ASKED)
    assert Counter(answer.status_code for answer in answers) == {202: 5, 429: 1}


async def fill_with_open_jobs(product: Product, owner: str, count: int) -> None:
    """Insert jobs that nobody renders."""
    request = {"kind": "image", "at": "2025-10-23T14:30:00Z", "user_id": owner, "prompt": "x", "count": 1}
    request |= {"size": "1024x1024", "format": "PNG", "model": "nobody-renders-this"}
    for _ in range(count):
        job_id = new_id()
        await product.pool.execute(
            """INSERT INTO sorami.jobs (id, kind, owner_id, model, request, request_hash, finish_by)
               VALUES ($1, 'image', $2, 'nobody-renders-this', $3::jsonb, '', now())""",
            job_id,
            owner,
            json.dumps(request | {"job_id": job_id}),
        )
