"""Routes are declared with FastAPI and served by their address alone."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from services.runtime.problems import ProblemDocuments
from services.runtime.route_table import RouteTable


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    api, router = FastAPI(docs_url=None, redoc_url=None), APIRouter(prefix="/things")

    @router.get("/all")
    async def all_of_them() -> Response:
        return PlainTextResponse("all")

    @router.get("/{thing_id}")
    async def one(thing_id: str, request: Request) -> Response:
        return PlainTextResponse(f"one {thing_id} {request.query_params.get('thing_id', '')}".strip())

    @router.delete("/{thing_id}")
    async def delete(thing_id: str) -> Response:
        return PlainTextResponse(f"deleted {thing_id}")

    @router.put("/{thing_id}/{name:path}")
    async def name_it(request: Request) -> Response:
        return PlainTextResponse(f"{request.scope['route']} {request.path_params['name']}")

    api.include_router(router)
    transport = httpx.ASGITransport(ProblemDocuments(RouteTable(api)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "address", "answer"),
    [
        ("GET", "/things/all", "all"),
        ("GET", "/things/a%20b", "one a b"),
        ("DELETE", "/things/all", "deleted all"),
        ("PUT", "/things/a/b/c", "/things/{thing_id}/{name:path} b/c"),
    ],
)
async def test_a_word_of_its_own_goes_before_a_word_taken_for_an_id(
    http: httpx.AsyncClient, method: str, address: str, answer: str
) -> None:
    assert (await http.request(method, address)).text == answer


async def test_no_parameter_is_read_from_behind_the_question_mark(http: httpx.AsyncClient) -> None:
    assert (await http.get("/things/x?thing_id=y&request=z")).text == "one x y"


@pytest.mark.parametrize("address", ["/", "/thing", "/things/", "//things/all", "/things"])
async def test_what_is_served_nowhere_is_a_404(http: httpx.AsyncClient, address: str) -> None:
    answer = await http.get(httpx.URL("http://test" + address))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("address", "allowed"), [("/things/all", "GET"), ("/things/x", "DELETE, GET"), ("/openapi.json", "GET, HEAD")]
)
async def test_a_wrong_method_is_told_the_right_ones(http: httpx.AsyncClient, address: str, allowed: str) -> None:
    answer = await http.patch(address)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_an_endpoint_that_wants_more_is_refused_when_the_application_is_built() -> None:
    async def of_the_query(name: str) -> Response:
        return PlainTextResponse(name)

    async def of_a_number(number: int) -> Response:
        return PlainTextResponse(str(number))

    def at_once(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    endpoints: dict[str, Callable[..., Any]] = {"/a": of_the_query, "/b/{number}": of_a_number, "/c": at_once}
    for path, endpoint in endpoints.items():
        api = FastAPI()
        api.add_api_route(path, endpoint)
        with pytest.raises(TypeError, match="must be async and take the request"):
            RouteTable(api)
