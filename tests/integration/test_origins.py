"""Pages of other sites: those that were named may call with a token, no other may, and none with our cookie."""

import httpx
import pytest

from tests.support.product import Product

NAMED = "http://localhost:3000"
FOREIGN = "https://evil.example"


async def preflight(product: Product, origin: str, method: str, header: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": header}
    async with httpx.AsyncClient(base_url=product.url) as client:
        return await client.options("/api/images/generate", headers=asked)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_named_site_may_use_every_method(product: Product, method: str) -> None:
    answer = await preflight(product, NAMED, method, "authorization,idempotency-key,prefer")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == NAMED
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_site_that_was_not_named_is_told_nothing(product: Product) -> None:
    answer = await preflight(product, FOREIGN, "POST", "authorization")
    assert "access-control-allow-origin" not in answer.headers
    read = await product.person().http.get("/api/images/user", headers={"Origin": FOREIGN})
    assert "access-control-allow-origin" not in read.headers


async def test_a_named_site_can_read_what_a_client_needs(product: Product) -> None:
    answer = await product.person().http.get("/api/images/user", headers={"Origin": NAMED})
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"location", "retry-after", "ratelimit", "etag", "idempotency-replayed"} <= exposed
