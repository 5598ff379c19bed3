"""API keys: shown once, kept as a hash, never more than their maker, and gone within a second."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts.ids import new_id
from contracts.scopes import PERSONAL, Scope
from services.gateway.usecases.resolve_subject import SubjectUnknown, resolve_subject
from services.runtime.api_keys import key_hash
from services.runtime.identity import Caller
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.product import Product, frames


class Maker:
    """Somebody with a token who makes keys."""

    def __init__(self, gateway: RunningGateway, **claims: Any) -> None:
        self.gateway = gateway
        self.subject = f"user_{new_id()}"
        self.token = gateway.provider.sign(sub=self.subject, **claims)

    async def asks(self, token: str | None = None, **body: Any) -> httpx.Response:
        wanted = {"name": "a program", "scopes": ["jobs:read", "jobs:write"]} | body
        return await self.gateway.ask("POST", "/api/keys", token or self.token, json=wanted)

    async def makes(self, token: str | None = None, **body: Any) -> dict[str, Any]:
        answer = await self.asks(token, **body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def keys(self, **query: Any) -> dict[str, Any]:
        answer = await self.gateway.ask("GET", "/api/keys", self.token, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


async def test_a_key_is_told_once_and_kept_as_a_hash(gateway: RunningGateway) -> None:
    maker = Maker(gateway)
    answer = await maker.asks(name="  nightly report ", expires_in_days=30)
    made = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert made["name"] == "nightly report"
    assert made["secret"].startswith(f"{made['prefix']}_")
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)
    listed = (await maker.keys())["keys"]
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    kept = await gateway.row("SELECT token_hash, k::text FROM sorami.api_keys k WHERE id = $1", made["id"])
    assert kept[0] == key_hash(made["secret"])
    assert made["secret"] not in kept[1]


async def test_a_key_opens_what_its_scopes_say_and_nothing_else(gateway: RunningGateway) -> None:
    maker = Maker(gateway)
    secret = (await maker.makes(scopes=["jobs:read"]))["secret"]
    me = (await gateway.get("/api/me", secret)).json()
    assert (me["way"], me["scopes"]) == ("key", ["jobs:read"])
    assert me["user_id"] == (await gateway.get("/api/me", maker.token)).json()["user_id"]
    assert (await gateway.get("/api/images/x/status", secret)).status_code == 404
    for method, path in (("GET", "/api/images/user"), ("POST", "/api/images/generate"), ("GET", "/api/keys")):
        answer = await gateway.ask(method, path, secret, json={"prompt": "x"} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_a_key_never_makes_one_that_may_do_more_or_lives_longer(gateway: RunningGateway) -> None:
    maker = Maker(gateway)
    parent = await maker.makes(scopes=["account", "jobs:read"], expires_in_days=2)
    refused = await maker.asks(parent["secret"], scopes=["jobs:read", "media:write"])
    assert (refused.status_code, refused.json()["code"]) == (403, "scopes_beyond_own")
    assert refused.json()["scopes"] == ["media:write"]
    for days in (None, 300):
        child = await maker.makes(parent["secret"], scopes=["jobs:read"], expires_in_days=days)
        assert child["expires_at"] == parent["expires_at"]


async def test_a_key_that_was_revoked_a_moment_ago_makes_no_other(gateway: RunningGateway) -> None:
    maker = Maker(gateway)
    parent = await maker.makes(scopes=["account"])
    assert (await gateway.get("/api/me", parent["secret"])).status_code == 200
    assert (await gateway.ask("DELETE", f"/api/keys/{parent['id']}", maker.token)).status_code == 204
    answer = await maker.asks(parent["secret"], scopes=["account"])
    assert (answer.status_code, answer.json()["code"]) == (401, "key_revoked")


async def test_nobody_makes_a_key_that_operates_or_acts_for_others_without_being_allowed(
    gateway: RunningGateway,
) -> None:
    for scope in (Scope.OPERATE, Scope.ACT_FOR_OTHERS, Scope.GENERATE):
        answer = await Maker(gateway).asks(scopes=[scope.value])
        assert (answer.status_code, answer.json()["code"]) == (403, "scopes_beyond_own")


@pytest.mark.parametrize("way", ["subject", "address", "role"])
async def test_operators_are_named_by_settings(gateway: RunningGateway, way: str) -> None:
    claims = {
        "subject": {},
        "address": {"email": "Ops@example.com", "email_verified": True},
        "role": {"v": 2, "o": {"id": "org_ops", "rol": "admin"}},
    }[way]
    maker = Maker(gateway, **claims)
    named = {
        "subject": {"operators": [maker.subject]},
        "address": {"operators": ["ops@Example.com"]},
        "role": {"operator_roles": ["org_ops:org:admin"]},
    }[way]
    async with running_gateway(gateway.database, gateway.provider, **named) as mine:
        maker.gateway = mine
        me = (await mine.get("/api/me", maker.token)).json()
        assert (me["operator"], set(me["scopes"])) == (True, {*PERSONAL, "operate", "act-for-others", "generate"})
        made = await maker.makes(scopes=["act-for-others", "jobs:write"])
        caller = await mine.parts.identities.of_key(made["secret"])
        assert caller.may_act_for_others
        assert not (await mine.get("/api/me", mine.provider.sign(sub=f"user_{new_id()}"))).json()["operator"]


async def test_whose_job_it_is_counts_only_from_whoever_may_act_for_others(gateway: RunningGateway) -> None:
    pool = gateway.parts.pool
    other = (await gateway.get("/api/me", gateway.provider.sign(sub="user_other"))).json()["user_id"]
    program = Caller("program", scopes=frozenset({"act-for-others"}), key_id="k")
    for name in (other, "user_other"):
        acting = await resolve_subject(pool, program, name)
        assert (acting.user_id, acting.actor, acting.key_id) == (other, "program", "k")
        assert await resolve_subject(pool, Caller("person"), name) == Caller("person")
    assert await resolve_subject(pool, program, None) is program
    with pytest.raises(SubjectUnknown):
        await resolve_subject(pool, program, "nobody")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": " "}, "name_empty"),
        ({"name": "x" * 101}, "name_too_long"),
        ({"name": "a\nb"}, "name_not_printable"),
        ({"name": "a\u202eb"}, "name_not_printable"),
        ({"name": 1}, "not_a_string"),
        ({"scopes": []}, "scopes_empty"),
        ({"scopes": ["everything"]}, "scopes_unsupported"),
        ({"scopes": "jobs:read"}, "not_a_list"),
        ({"expires_in_days": 0}, "expires_in_days_out_of_range"),
        ({"expires_in_days": 3_651}, "expires_in_days_out_of_range"),
        ({"expires_in_days": True}, "not_an_integer"),
        ({"owner_id": "somebody"}, "unknown_field"),
    ],
    ids=str,
)
async def test_a_wish_that_cannot_be_met_says_why(gateway: RunningGateway, body: dict[str, Any], code: str) -> None:
    answer = await Maker(gateway).asks(**body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_keys_are_listed_page_by_page(gateway: RunningGateway) -> None:
    maker, stranger = Maker(gateway), Maker(gateway)
    made = [(await maker.makes(name=f"key {n}"))["id"] for n in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = await maker.keys(limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [key["id"] for key in page["keys"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    assert (await stranger.keys())["keys"] == []


async def test_a_revoked_key_is_refused_and_revoking_it_again_is_no_error(gateway: RunningGateway) -> None:
    maker, stranger = Maker(gateway), Maker(gateway)
    made = await maker.makes()
    path = f"/api/keys/{made['id']}"
    foreign = await gateway.ask("DELETE", path, stranger.token)
    absent = await gateway.ask("DELETE", "/api/keys/nothing", stranger.token)
    assert (foreign.status_code, foreign.text) == (404, absent.text)
    assert (await gateway.get("/api/me", made["secret"])).status_code == 200
    for _ in range(2):
        assert (await gateway.ask("DELETE", path, maker.token)).status_code == 204
    assert (await maker.keys())["keys"] == []
    actions = await gateway.rows("SELECT action FROM sorami.audit_log WHERE subject = $1 ORDER BY id", made["id"])
    assert actions == [("key.created",), ("key.revoked",)]


async def test_a_key_ends_by_itself(gateway: RunningGateway) -> None:
    made = await Maker(gateway).makes(expires_in_days=1)
    await asyncio.to_thread(
        gateway.database.execute, "UPDATE sorami.api_keys SET expires_at = now() WHERE id = $1", made["id"]
    )
    answer = await gateway.get("/api/me", made["secret"])
    assert (answer.status_code, answer.json()["code"]) == (401, "key_expired")


@pytest.mark.parametrize("key", ["sk_sorami_", f"sk_sorami_aaaaaaaa_{'a' * 40}", f"sk_sorami_{'a' * 9_000}"])
async def test_what_only_looks_like_a_key_is_refused(gateway: RunningGateway, key: str) -> None:
    answer = await gateway.get("/api/me", key)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_invalid")


async def test_the_last_use_is_noted_once_a_minute_beside_the_request(gateway: RunningGateway) -> None:
    maker = Maker(gateway)
    made = await maker.makes()
    noted = "SELECT last_used_at, xmin::text FROM sorami.api_keys WHERE id = $1"
    for _ in range(3):
        assert (await gateway.get("/api/me", made["secret"])).status_code == 200
    await asyncio.gather(*gateway.parts.identities._noting.values())
    first = await gateway.row(noted, made["id"])
    assert first[0] is not None
    gateway.parts.identities._keys._kept.clear()
    await gateway.get("/api/me", made["secret"])
    await asyncio.gather(*gateway.parts.identities._noting.values())
    assert await gateway.row(noted, made["id"]) == first
    assert (await maker.keys())["keys"][0]["last_used_at"] is not None


async def test_nobody_has_more_than_a_hundred_keys(gateway: RunningGateway) -> None:
    maker = Maker(gateway)
    user_id = (await gateway.get("/api/me", maker.token)).json()["user_id"]
    await asyncio.to_thread(
        gateway.database.execute,
        """INSERT INTO sorami.api_keys (id, owner_id, name, prefix, token_hash, scopes)
           SELECT $1 || n, $1, 'n', 'p', decode(md5($1 || n), 'hex'), '{jobs:read}' FROM generate_series(1, 100) n""",
        user_id,
    )
    answer = await maker.asks()
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_keys")


async def test_a_revoked_key_is_refused_within_a_second_by_every_process(product: Product) -> None:
    person = product.person()
    job_id = await person.ask()
    await person.ended(job_id)
    answer = await person.http.post("/api/keys", json={"name": "watcher", "scopes": ["jobs:read"]})
    made = answer.json()
    notifier = product.stack.env["SORAMI_NOTIFIER_URL"]
    headers = {"Authorization": f"Bearer {made['secret']}"}
    async with (
        httpx.AsyncClient(base_url=product.url, headers=headers, timeout=20) as gateway,
        httpx.AsyncClient(base_url=notifier, headers=headers, timeout=20) as streams,
    ):
        assert (await gateway.get(f"/api/images/{job_id}/status")).status_code == 200
        async with streams.stream("GET", f"/api/images/{job_id}/events") as stream:
            assert stream.status_code == 200
            assert (await anext(frames(stream))).data["job_id"] == job_id
        await product.until("SELECT 1 FROM sorami.api_keys WHERE id = $1 AND last_used_at IS NOT NULL", made["id"])
        assert (await person.http.delete(f"/api/keys/{made['id']}")).status_code == 204
        revoked = time.monotonic()
        for client, path in ((gateway, f"/api/images/{job_id}/status"), (streams, f"/api/images/{job_id}/events")):
            code = 200
            while code != 401:
                assert time.monotonic() - revoked < 1.0
                async with client.stream("GET", path) as answered:
                    code = answered.status_code
            body = (await client.get(path)).json()
            assert body["code"] == "key_revoked"


async def test_a_stream_ends_with_its_key_before_it_tells_anything_more(product: Product) -> None:
    person = product.person()
    made = (await person.http.post("/api/keys", json={"name": "watcher", "scopes": ["jobs:read"]})).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    async with (
        httpx.AsyncClient(base_url=product.url, headers=headers, timeout=30) as client,
        client.stream("GET", "/api/events") as stream,
    ):
        told = frames(stream)
        assert (await anext(told)).event == "snapshot"
        first = await person.ask()
        assert (await anext(told)).data["job_id"] == first
        await person.ended(first)
        assert (await person.http.delete(f"/api/keys/{made['id']}")).status_code == 204
        async with httpx.AsyncClient(base_url=product.stack.env["SORAMI_NOTIFIER_URL"], headers=headers) as direct:
            while True:
                async with direct.stream("GET", "/api/events") as answer:
                    if answer.status_code == 401:
                        break
        second = await person.ask()
        async with asyncio.timeout(20):
            assert second not in [frame.data["job_id"] async for frame in told]


async def test_a_key_without_the_scope_watches_nothing(product: Product) -> None:
    made = (await product.person().http.post("/api/keys", json={"name": "n", "scopes": ["media:read"]})).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    for address in (product.url, product.stack.env["SORAMI_NOTIFIER_URL"]):
        async with httpx.AsyncClient(base_url=address, headers=headers) as client:
            answer = await client.get("/api/events")
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
