"""The routes of the page serve the page's own files and nothing else."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from services.gateway.api.page_files import STATIC, PageFiles
from services.gateway.api.pages import PAGES, page_router
from services.runtime.problems import ProblemDocuments
from services.runtime.route_table import RouteTable


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    api = FastAPI(docs_url=None, redoc_url=None)
    parts: Any = SimpleNamespace(
        signer=SimpleNamespace(origin="https://media.example"), public_url="http://sorami.test"
    )
    api.include_router(page_router(cast(Any, parts)))
    app = ProblemDocuments(RouteTable(api))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sorami.test") as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_the_same_whatever_the_address_asks_for(http: httpx.AsyncClient, path: str) -> None:
    expected = (await http.get(path)).text
    assert f"<title>{'Sorami · API' if path == '/docs' else 'Sorami'}</title>" in expected
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


async def test_a_browser_keeps_what_its_page_names_for_good(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) > 50
    for address in addresses:
        answer = await http.get(address)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True), address
    other = re.sub(r"v-[0-9a-f]{12}", "v-" + "0" * 12, addresses[-1])
    assert (await http.get(other)).headers["cache-control"] == "no-cache"


async def test_every_module_is_named_by_the_page_so_that_none_waits_for_another(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    named = {
        re.sub(r"/static/v-[0-9a-f]+/", "", address) for address in re.findall(r'(?:href|src)="([^"]+\.js)"', page)
    }
    ours = {path.relative_to(STATIC).as_posix() for path in (STATIC / "js").rglob("*.js")}
    elsewhere = {name for name in ours if name.startswith(("js/docs/", "js/shared/"))}
    # Fetched when somebody opens it, and the language that is read.
    later = {name for name in ours if re.match(r"js/(views/(settings|operate|albums|lightbox)|base/words/)", name)}
    parts = ("about", "attempts", "dialog", "loaded", "questions", "section", "zoom")
    later |= {f"js/parts/{part}.js" for part in parts}
    assert ours - elsewhere - named == {"js/signin.js", "js/types.js"} | later
    assert {"vendor/preact.js", "vendor/signals-core.js"} <= named


async def test_a_file_is_sent_small_to_whoever_reads_that(http: httpx.AsyncClient) -> None:
    small = await http.get("/static/vendor/preact.js", headers={"Accept-Encoding": "gzip"})
    whole = await http.get("/static/vendor/preact.js", headers={"Accept-Encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in whole.headers
    assert small.content == whole.content == (STATIC / "vendor" / "preact.js").read_bytes()
    assert int(small.headers["content-length"]) < int(whole.headers["content-length"]) / 2
    assert small.headers["etag"] != whole.headers["etag"]


async def test_comments_that_stand_alone_are_not_sent_and_every_line_keeps_its_number(http: httpx.AsyncClient) -> None:
    kept = (STATIC / "js" / "live" / "line.js").read_text(encoding="utf-8")
    sent = (await http.get("/static/js/live/line.js")).text
    assert "/**" in kept
    assert "/**" not in sent
    assert sent.count("\n") == kept.count("\n")
    numbers = [n for n, line in enumerate(kept.split("\n")) if "addEventListener" in line]
    assert [n for n, line in enumerate(sent.split("\n")) if "addEventListener" in line] == numbers
    # What others wrote is sent as it is, with its licence.
    assert (await http.get("/static/vendor/htm.js")).content == (STATIC / "vendor" / "htm.js").read_bytes()


async def test_the_first_visit_weighs_little_with_its_headers_and_one_language(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)) | {"/static/js/base/words/fr.js"}
    answers = [page, *[await http.get(address) for address in addresses]]
    headers = sum(len(name) + len(value) + 4 for answer in answers for name, value in answer.headers.raw)
    assert headers + sum(int(answer.headers["content-length"]) for answer in answers) <= 120_000


def test_a_file_that_changed_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<script type="module" src="/static/a.js"></script>')
    (tmp_path / "a.js").write_text("1;")
    files = PageFiles(tmp_path)
    before = files.page("a.html").content
    (tmp_path / "a.js").write_text("22;")
    os.utime(tmp_path / "a.js", ns=(1, 1))
    assert files.page("a.html").content != before
    served = files.get("a.js")
    assert served is not None
    assert served.content == b"22;"


async def test_the_policy_names_our_own_files_and_the_media_alone(http: httpx.AsyncClient) -> None:
    policy = (await http.get("/")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "img-src 'self' data: https://media.example;" in policy
    assert "unsafe" not in policy
