"""Who may come in, what is refused at the door, and that one person's things are nobody else's."""

import json
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.product import Product


async def post(product: Product, body: bytes, **headers: str) -> httpx.Response:
    person = product.person()
    sent = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await person.http.post("/api/images/generate", content=body, headers=sent)


def forged(product: Product, **change: Any) -> str:
    """Sign a token of our issuer with a key that is not its own."""
    now = int(time.time())
    header = jwt.get_unverified_header(product.stack.token("user_a"))
    claims = {"iss": "urn:sorami:local", "sub": "user_a", "iat": now, "nbf": now, "exp": now + 60} | change
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": header["kid"]})


async def get(product: Product, path: str, token: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(base_url=product.url, headers=headers) as client:
        return await client.get(path)


async def test_without_a_token_the_answer_is_the_seeds_own(product: Product) -> None:
    for path in (
        "/api/images/user",
        "/api/images/x/status",
        "/api/videos/x/result",
        "/api/events",
        "/api/images/x/events",
    ):
        answer = await get(product, path, None)
        assert answer.status_code == 401
        assert answer.json()["error"] == "Non authentifié"
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_forged_tokens_are_all_refused_in_the_same_words(product: Product) -> None:
    now = int(time.time())
    none = jwt.encode({"sub": "user_a", "exp": now + 60}, None, algorithm="none")  # type: ignore[arg-type]
    shared = jwt.encode({"sub": "user_a", "exp": now + 60}, "k" * 32, algorithm="HS256", headers={"kid": "x"})
    tokens = [forged(product), forged(product, iss="https://other"), none, shared, "a.b.c", "x" * 20_000]
    answers = [await get(product, "/api/images/user", token) for token in tokens]
    assert {answer.status_code for answer in answers} <= {401, 431}
    assert len({answer.text for answer in answers if answer.status_code == 401}) == 1


async def test_a_token_in_the_query_is_not_looked_at(product: Product) -> None:
    token = product.stack.token("user_a")
    assert (await get(product, f"/api/images/user?token={token}", None)).status_code == 401


async def test_a_job_of_somebody_else_and_a_job_that_is_not_there_look_the_same(product: Product) -> None:
    owner, other = product.person(), product.person()
    job_id = await owner.ask()
    await owner.ended(job_id)
    for what in ("status", "result"):
        foreign = await other.http.get(f"/api/images/{job_id}/{what}")
        absent = await other.http.get(f"/api/images/nobody/{what}")
        assert (foreign.status_code, foreign.text) == (404, absent.text)
    assert (await owner.http.get(f"/api/videos/{job_id}/status")).status_code == 404


async def test_a_result_is_never_an_empty_success(product: Product) -> None:
    person = product.person()
    job_id = await person.ask("video", model="procedural-1", prompt="Waves", size="640x360", duration_seconds=2)
    answer = await person.http.get(f"/api/videos/{job_id}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_finished")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[]", 422, "body_not_object"),
        (b"null", 422, "body_not_object"),
        (b'"x"', 422, "body_not_object"),
        (b"", 422, "body_not_object"),
        (b'{"prompt": NaN}', 400, "json_invalid"),
        (b'{"prompt": "a", "num_images": 1e400}', 400, "json_invalid"),
        (b"[" * 60_000, 400, "json_invalid"),
        (b'{"prompt": "a", "prompt": "b"}', 400, "json_duplicate_key"),
        (b'{"prompt": "a\\ud800"}', 422, "prompt_not_unicode"),
        (b'{"prompt": "a\\u0000"}', 422, "prompt_control_character"),
        (b'{"prompt": "\xff"}', 400, "json_invalid"),
        (b'{"prompt": "a", "model": "imagined"}', 422, "model_unknown"),
        (b'{"prompt": "a", "authorId": "me"}', 422, "unknown_field"),
        (b'{"prompt": "' + b"a" * 70_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_a_bad_body_gets_its_own_code_and_is_never_echoed(
    product: Product, body: bytes, status: int, code: str
) -> None:
    answer = await post(product, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 2_000


async def test_other_content_types_and_encodings_are_refused(product: Product) -> None:
    body = json.dumps({"prompt": "a"}).encode()
    plain = await post(product, body, content_type="text/plain")
    zipped = await post(product, body, content_encoding="gzip")
    assert (plain.status_code, plain.json()["code"]) == (415, "content_type_unsupported")
    assert (zipped.status_code, zipped.json()["code"]) == (415, "content_encoding_unsupported")


async def test_a_foreign_host_name_is_refused(product: Product) -> None:
    answer = await product.person().http.get("/api/images/user", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "bm90LWpzb24"])
async def test_a_tampered_cursor_is_refused(product: Product, cursor: str) -> None:
    answer = await product.person().http.get("/api/images/user", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize("limit", ["0", "-1", "1e9", "10001", "ten", "٣"])
async def test_a_page_size_out_of_range_is_refused(product: Product, limit: str) -> None:
    answer = await product.person().http.get("/api/images/user", params={"limit": limit})
    assert (answer.status_code, answer.json()["code"]) == (422, "limit_out_of_range")


async def test_a_method_that_is_not_taken_says_which_are(product: Product) -> None:
    answer = await product.person().http.get("/api/images/generate")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_a_file_that_is_not_there_is_not_found(product: Product) -> None:
    answer = await get(product, "/media/nothing/image_1.png", None)
    assert (answer.status_code, answer.json()["code"]) == (404, "media_not_found")


async def test_a_page_is_served_under_a_strict_policy(product: Product) -> None:
    answer = await get(product, "/", None)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await get(product, "/static/../app.py", None)).status_code == 404


async def test_what_is_polled_is_not_sent_twice(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    for path in (f"/api/images/{job_id}/status", f"/api/images/{job_id}/result", "/api/images/user"):
        etag = (await person.http.get(path)).headers["etag"]
        again = await person.http.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b""), path
        assert "Authorization" in again.headers["vary"]
