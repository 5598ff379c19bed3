"""Who may touch what: every route that names a thing, against all who do not own it. Made from the document."""

import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from contracts.ids import new_id
from sorami.documents import openapi
from tests.support.product import Person, Product
from tests.support.receiver import Receiver

ABSENT = "nobody0knows0this"
STRANGERS = ("another organisation", "the same organisation", "nobody", "a revoked key")


@dataclass(frozen=True)
class Route:
    """An operation of the document whose address names a thing of somebody's."""

    method: str
    path: str
    operation_id: str
    has_body: bool

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> list[Route]:
    found = []
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            if "{" in path and operation["security"]:
                found.append(Route(method.upper(), path, operation["operationId"], "requestBody" in operation))
    return found


ROUTES = routes()
# Bodies of routes that want one; the ids in them are of the owner.
BODIES: dict[str, Any] = {
    "change_album": {"name": "Renamed"},
    "change_album_items": {"add": ["{generation_id}"]},
    "change_webhook_endpoint": {"description": "Changed"},
    "rotate_webhook_secret": {},
    "recover_webhook_endpoint": {"since": "2026-01-01T00:00:00Z"},
}
# Things end in this order: what is inside before what it is in.
_ORDER = ("GET", "PUT", "PATCH", "POST", "DELETE")


@dataclass
class Household:
    """An owner with one thing of every sort, and those who are not the owner."""

    owner: Person
    strangers: dict[str, httpx.AsyncClient]
    ids: dict[str, str] = field(default_factory=dict)

    def address(self, route: Route, ids: dict[str, str] | None = None) -> str:
        known = ids or self.ids
        path = route.path
        for name in route.names:
            kind = "video_" if "/videos/" in path and name == "job_id" else ""
            path = path.replace(f"{{{name}}}", known[kind + name])
        return path

    async def call(self, client: httpx.AsyncClient, route: Route, address: str) -> httpx.Response:
        body = BODIES.get(route.operation_id)
        sent = (
            json.loads(json.dumps(body).replace("{generation_id}", self.ids["generation_id"]))
            if body is not None
            else None
        )
        async with client.stream(route.method, address, json=sent) as answer:
            await answer.aread()
            return answer


async def _made(owner: Person, path: str, body: dict[str, Any], key: str) -> str:
    answer = await owner.http.post(path, json=body)
    assert answer.status_code in (201, 202), answer.text
    found: str = answer.json()[key]
    return found


@pytest.fixture(scope="module")
async def household(product: Product, hooks: Receiver) -> AsyncIterator[Household]:
    organization = {"org_id": f"org_{new_id()}", "org_role": "org:member"}
    owner = product.person(**organization)
    image, video = await owner.ask(), await owner.ask("video")
    await owner.ended(image)
    await owner.ended(video, "video")
    album = await _made(owner, "/api/albums", {"name": "Mine"}, "id")
    await owner.http.post(f"/api/albums/{album}/items", json={"add": [image]})
    share = await _made(owner, "/api/shares", {"generation_id": image}, "id")
    bytes_ = new_id().encode()
    upload = {
        "content_type": "image/png",
        "size_bytes": len(bytes_),
        "sha256": hashlib.sha256(bytes_).hexdigest(),
    }
    asked = {"kind": "image", "prompt": "Un chat", "model": "instant", "variations": 2}
    notifications = (await owner.http.get("/api/notifications")).json()["notifications"]
    revoked = (await owner.http.post("/api/keys", json={"name": "old", "scopes": list(_scopes())})).json()
    await owner.http.delete(f"/api/keys/{revoked['id']}")
    endpoint = await _made(owner, "/api/webhook-endpoints", {"url": hooks.url("/household")}, "id")
    delivery = await _made(owner, f"/api/webhook-endpoints/{endpoint}/test", {}, "id")
    others = [
        product.person(org_id=f"org_{new_id()}", org_role="org:admin"),
        product.person(**{**organization, "org_role": "org:admin"}),
    ]
    for other in others:
        # The notifier knows people whom the gateway has met.
        await other.user_id()
    strangers = {
        "another organisation": others[0].http,
        "the same organisation": others[1].http,
        "nobody": httpx.AsyncClient(base_url=product.url, timeout=30),
        "a revoked key": httpx.AsyncClient(
            base_url=product.url, timeout=30, headers={"Authorization": f"Bearer {revoked['secret']}"}
        ),
    }
    ids = {
        "job_id": image,
        "video_job_id": video,
        "generation_id": image,
        "album_id": album,
        "share_id": share,
        "batch_id": await _made(owner, "/api/batches", asked, "batch_id"),
        "upload_id": await _made(owner, "/api/uploads", upload, "upload_id"),
        "key_id": await _made(owner, "/api/keys", {"name": "mine", "scopes": ["jobs:read"]}, "id"),
        "notification_id": notifications[0]["id"],
        "endpoint_id": endpoint,
        "delivery_id": delivery,
    }
    yield Household(owner, strangers, ids)
    for name in ("nobody", "a revoked key"):
        await strangers[name].aclose()


def _scopes() -> tuple[str, ...]:
    return ("jobs:read", "jobs:write", "media:read", "media:write", "account")


def test_the_document_names_routes_of_every_sort() -> None:
    assert {name for route in ROUTES for name in route.names} >= {
        "job_id", "generation_id", "album_id", "share_id", "batch_id", "upload_id", "key_id", "notification_id",
        "endpoint_id", "delivery_id",
    }  # fmt: skip
    assert len(ROUTES) > 25


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_what_is_not_yours_is_not_there(household: Household, route: Route, who: str) -> None:
    answer = await household.call(household.strangers[who], route, household.address(route))
    if who in ("nobody", "a revoked key"):
        assert answer.status_code == 401, answer.text
        return
    assert answer.status_code == 404, answer.text
    absent = await household.call(
        household.strangers[who], route, household.address(route, dict.fromkeys(household.ids, ABSENT))
    )
    assert (absent.status_code, absent.text) == (404, answer.text), "not yours must look like not there"


async def test_the_owner_is_let_in_everywhere(household: Household) -> None:
    # After the strangers: some of these routes end things, what lies inside before what it lies in.
    ordered = sorted(ROUTES, key=lambda route: (_ORDER.index(route.method), -len(route.names), route.path))
    refused = {}
    for route in ordered:
        answer = await household.call(household.owner.http, route, household.address(route))
        if answer.status_code in (401, 403, 404) or answer.status_code >= 500:
            refused[str(route)] = answer.text
    assert refused == {}


@pytest.mark.parametrize("path", ["/api/gallery/delete", "/api/gallery/restore", "/api/favourites", "/api/albums"])
async def test_ids_of_others_in_a_body_change_nothing(product: Product, path: str) -> None:
    owner, other = product.person(), product.person()
    image = await owner.ask()
    await owner.ended(image)
    bodies = {"/api/favourites": {"add": [image]}, "/api/albums": {"name": "Theirs", "items": [image]}}
    answer = await other.http.post(path, json=bodies.get(path, {"ids": [image]}))
    assert answer.status_code < 500
    if answer.status_code < 300:
        assert image in (answer.json().get("notFound") or answer.json().get("not_found") or [])
    assert (await owner.http.get(f"/api/gallery/{image}")).json()["favourite"] is False
