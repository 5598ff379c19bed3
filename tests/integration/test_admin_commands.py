"""`sorami admin` for people, keys, topics and draining: what it shows and does on the running product."""

import asyncio
import json
from typing import Any

from contracts.topics import all_topics
from tests.integration.test_operating import admin as command
from tests.support.product import Product


async def admin(product: Product, *arguments: str) -> tuple[int, str]:
    """Run `sorami admin` as the operator of this product; returns its exit code and what it printed."""
    code, out, err = await command(product, *arguments)
    return code, out + err


async def test_a_persons_key_is_found_and_revoked_by_an_operator(product: Product) -> None:
    person = product.person()
    user = await person.user_id()
    made = (await person.http.post("/api/keys", json={"name": "nightly", "scopes": ["jobs:read"]})).json()

    async def found(what: str, named: str) -> Any:
        code, printed = await admin(product, what, named, "--json")
        assert code == 0, printed
        return json.loads(printed)

    (mine,) = await found("users", person.subject)
    assert (mine["id"], mine["keys"]) == (user, 1)
    assert [key["id"] for key in await found("keys", user)] == [made["id"]]
    code, printed = await admin(product, "revoke", made["id"])
    assert code == 0 and "revoked" in printed
    assert await found("keys", person.subject) == []
    noted = await product.row(
        "SELECT actor FROM sorami.audit_log WHERE action = 'key.revoked' AND subject = $1", made["id"]
    )
    assert noted["actor"] == "operator:command-line"
    assert (await admin(product, "revoke", "nobodys"))[0] == 1


async def test_topics_are_listed_and_a_provider_is_drained(product: Product) -> None:
    (code, printed), drained = await asyncio.gather(
        admin(product, "topics", "--json"), admin(product, "drain", "provider", "procedural", "--within", "20")
    )
    try:
        rows = json.loads(printed)
        assert code == 0 and {row["topic"] for row in rows} == {topic.name for topic in all_topics()}
        assert all(row["there"] and row["partitions"] >= row["declared"] for row in rows)
        assert drained == (0, "drained: nothing is under way\n")
        paused = (await product.operator().http.get("/api/admin/pauses")).json()["pauses"]
        assert ("provider", "procedural") in {(pause["scope"], pause["name"]) for pause in paused}
    finally:
        await admin(product, "resume", "provider", "procedural")
