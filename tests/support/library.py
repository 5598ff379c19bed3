"""Generations as an application makes them, without any job of ours."""

from datetime import datetime, timedelta
from typing import Any

from contracts.ids import new_id
from tests.support.product import Person, Product

NOON = datetime(2026, 5, 1, 12)


async def made_by_prisma(product: Product, person: Person, prompt: str, kind: str = "image", **columns: Any) -> str:
    """Insert a finished generation of a person with one file, and return its id."""
    generation_id = str(columns.pop("id", new_id()))
    values = {"status": "COMPLETED", "progress": 100, "createdAt": NOON, "completedAt": NOON} | columns
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(
        f'${place}::"ImageJobStatus"' if name == "status" else f"${place}" for place, name in enumerate(values, start=4)
    )
    await product.pool.execute(
        f'INSERT INTO {kind}_generations (id, prompt, "authorId", {names}) VALUES ($1, $2, $3, {places})',
        generation_id,
        prompt,
        await person.user_id(),
        *values.values(),
    )
    await product.pool.execute(
        f'INSERT INTO {kind}_files (id, "generationId", filename, "s3Key", "fileUrl") VALUES ($1, $2, $3, $4, $5)',
        new_id(),
        generation_id,
        f"{kind}_1.png",
        f"{kind}s/{generation_id}",
        "https://cdn.example/x.png",
    )
    return generation_id


def minutes(count: int) -> datetime:
    """Return the moment this many minutes after noon."""
    return NOON + timedelta(minutes=count)


async def delete(product: Product, person: Person, generation_id: str, kind: str = "image") -> None:
    """Put a generation into the trash, as the route does."""
    await product.pool.execute(
        """INSERT INTO sorami.deletions (generation_id, kind, owner_id, purge_after)
           VALUES ($1, $2, $3, now() + interval '1 day')""",
        generation_id,
        kind,
        await person.user_id(),
    )


async def listed(person: Person, path: str = "/api/gallery", **parameters: Any) -> list[str]:
    """Return the ids of a page."""
    answer = await person.http.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["generations"]]


async def all_pages(person: Person, path: str = "/api/gallery", limit: int = 2, **parameters: Any) -> list[str]:
    """Return the ids of all pages."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        given = parameters | {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await person.http.get(path, params=given)
        assert answer.status_code == 200, answer.text
        found += [item["id"] for item in answer.json()["generations"]]
        cursor = answer.json()["nextCursor"]
        if cursor is None:
            return found
