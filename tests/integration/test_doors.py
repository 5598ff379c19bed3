"""Who may come in, what is refused at the door, and that one person's things are nobody else's."""

import time
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.product import Product


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


async def test_a_foreign_host_name_is_refused(product: Product) -> None:
    answer = await product.person().http.get("/api/images/user", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")


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
