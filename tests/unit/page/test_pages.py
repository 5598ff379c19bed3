"""The routes of the page serve the page's own files and nothing else."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from services.gateway.api.page_files import STATIC
from services.gateway.api.pages import PAGES, page_router
from services.runtime.problems import install_problem_handlers


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(docs_url=None, redoc_url=None)
    install_problem_handlers(app)
    parts: Any = SimpleNamespace(signer=SimpleNamespace(origin="https://media.example"))
    app.include_router(page_router(cast(Any, parts)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sorami.test") as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_the_same_whatever_the_address_asks_for(http: httpx.AsyncClient, path: str) -> None:
    expected = (STATIC / PAGES[path]).read_text()
    for query in ("", "?name=/etc/passwd", "?name=../api/pages.py", "?file=/etc/passwd", "?headers=x"):
        answer = await http.get(path + query)
        assert (answer.status_code, answer.text) == (200, expected)


@pytest.mark.parametrize(
    "path",
    [
        "../api/pages.py",
        "%2e%2e/api/pages.py",
        "..%2fapi%2fpages.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "js",
        "js/a%00b",
        "x" * 5_000,
        "",
    ],
)
async def test_nothing_outside_the_page_is_served(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(httpx.URL(f"http://sorami.test/static/{path}"))
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_browser_that_has_a_file_is_not_sent_it_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/static/js/main.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = await http.get("/static/js/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


async def test_the_policy_names_our_own_files_and_the_media_alone(http: httpx.AsyncClient) -> None:
    policy = (await http.get("/")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "img-src 'self' data: https://media.example;" in policy
    assert "unsafe" not in policy
