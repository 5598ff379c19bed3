"""Somebody with one thing of every sort that has an id, and those whose things these are not."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts.ids import new_id
from sorami.documents import openapi
from tests.support.product import Person, Product

ABSENT = "nobody0knows0this"
SCOPES = ("jobs:read", "jobs:write", "media:read", "media:write", "account")
STRANGERS = ("another organisation", "the same organisation", "nobody", "a revoked key")


@dataclass(frozen=True)
class Route:
    """An operation of the document."""

    method: str
    path: str
    operation_id: str
    has_body: bool

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def for_operators(self) -> bool:
        return self.path.startswith("/api/admin/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> list[Route]:
    """Return every operation that wants a caller and names a thing of somebody's."""
    return [route for route in _callable_routes() if route.names and not route.for_operators]


def operators_routes() -> list[Route]:
    """Return every operation that is the operators' alone."""
    return [route for route in _callable_routes() if route.for_operators]


def _callable_routes() -> list[Route]:
    found = []
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            if operation["security"]:
                found.append(Route(method.upper(), path, operation["operationId"], "requestBody" in operation))
    return found


# Bodies of routes that want one; the ids in them are of the owner.
BODIES: dict[str, Any] = {
    "change_album": {"name": "Renamed"},
    "change_album_items": {"add": ["{generation_id}"]},
    "change_webhook_endpoint": {"description": "Changed"},
    "change_channel": {"description": "Changed"},
    "rotate_webhook_secret": {},
    "recover_webhook_endpoint": {"since": "2026-01-01T00:00:00Z"},
}


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

    async def close(self) -> None:
        for client in self.strangers.values():
            await client.aclose()

    async def call(self, client: httpx.AsyncClient, route: Route, address: str) -> httpx.Response:
        body = BODIES.get(route.operation_id)
        sent = json.loads(json.dumps(body).replace("{generation_id}", self.ids["generation_id"]))
        async with client.stream(route.method, address, json=sent) as answer:
            await answer.aread()
            return answer


async def _made(owner: Person, path: str, body: dict[str, Any], key: str) -> str:
    answer = await owner.http.post(path, json=body)
    assert answer.status_code in (201, 202), answer.text
    found: str = answer.json()[key]
    return found


async def found_household(product: Product) -> Household:
    """Make the things and the people."""
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
    revoked = (await owner.http.post("/api/keys", json={"name": "old", "scopes": list(SCOPES)})).json()
    await owner.http.delete(f"/api/keys/{revoked['id']}")
    receiver = product.stack.env["SORAMI_WEBHOOK_ALLOW"].partition(",")[0]
    endpoint = await _made(owner, "/api/webhook-endpoints", {"url": f"http://{receiver}/household/{image}"}, "id")
    delivery = await _made(owner, f"/api/webhook-endpoints/{endpoint}/test", {}, "id")
    channel = await _made(owner, "/api/channels", {"url": f"ntfy://{receiver}/{image}"}, "id")
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
        "channel_id": channel,
    }
    return Household(owner, strangers, ids)
