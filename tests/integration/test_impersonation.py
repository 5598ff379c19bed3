"""S7: whoever is signed in as another person is named in the audit log, and may look and change nothing."""

from typing import Any

import pytest

from contracts.ids import new_id
from tests.support.gateway import RunningGateway, running_gateway

LOG = """
    SELECT actor, on_behalf_of, action, detail->>'route', request_id FROM sorami.audit_log
    WHERE on_behalf_of = $1 ORDER BY id
"""
WRITES = [
    ("POST", "/api/images/generate", {"prompt": "Un chat", "model": "instant"}),
    ("POST", "/api/keys", {"name": "mine now", "scopes": ["account"]}),
    ("DELETE", "/api/keys/some", None),
]


def tokens(gateway: RunningGateway) -> tuple[str, str]:
    """Return a person's own token, and one of a supporter who is signed in as that person."""
    user = f"user_{new_id()}"
    return gateway.provider.sign(sub=user), gateway.provider.sign(sub=user, act={"sub": "support_1"})


async def test_S7_an_impersonator_looks_and_the_log_says_so_once(gateway: RunningGateway) -> None:
    own, acting = tokens(gateway)
    me = (await gateway.get("/api/me", own)).json()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = (await gateway.get("/api/me", acting, traceparent=trace)).json()
    assert seen == me | {"actor": "support_1"}
    assert (await gateway.get("/api/images/user", acting)).status_code == 200
    assert await gateway.rows(LOG, me["user_id"]) == [
        ("support_1", me["user_id"], "impersonation.read", "GET /api/me", "0af7651916cd43dd8448eb211c80319c")
    ]


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[f"{m} {p}" for m, p, _ in WRITES])
async def test_S7_an_impersonator_changes_nothing_and_the_attempt_is_logged(
    gateway: RunningGateway, method: str, path: str, body: Any
) -> None:
    own, acting = tokens(gateway)
    user_id = (await gateway.get("/api/me", own)).json()["user_id"]
    answer = await gateway.ask(method, path, acting, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "impersonation_read_only")
    [entry] = await gateway.rows(LOG, user_id)
    assert entry[:3] == ("support_1", user_id, "impersonation.refused")
    assert await gateway.row("SELECT 1 FROM sorami.jobs WHERE owner_id = $1", user_id) is None
    assert await gateway.row("SELECT 1 FROM sorami.api_keys WHERE owner_id = $1", user_id) is None


async def test_S7_where_it_is_allowed_each_change_names_who_really_made_it(gateway: RunningGateway) -> None:
    own, acting = tokens(gateway)
    async with running_gateway(gateway.database, gateway.provider, allow_impersonated_writes=True) as mine:
        user_id = (await mine.get("/api/me", own)).json()["user_id"]
        made = await mine.ask("POST", "/api/keys", acting, json={"name": "help", "scopes": ["jobs:read"]})
        assert made.status_code == 201
    said = [entry[:3] for entry in await gateway.rows(LOG, user_id)]
    assert said == [
        ("support_1", user_id, "impersonation.written"),
        ("support_1", user_id, "key.created"),
    ]


async def test_S7_a_session_opened_as_another_person_is_short_and_read_only_too(gateway: RunningGateway) -> None:
    ticket = gateway.provider.sign(sub=f"user_{new_id()}", use="signin", jti=new_id(), act={"sub": "support_1"})
    async with gateway.browser(headers={"Origin": gateway.url}) as browser:
        answer = await browser.get("/signin", params={"ticket": ticket})
        assert "Max-Age=3600" in answer.headers["set-cookie"]
        me = (await browser.get("/api/me")).json()
        assert me["actor"] == "support_1"
        refused = await browser.post("/api/keys", json={"name": "mine", "scopes": ["account"]})
        assert refused.json()["code"] == "impersonation_read_only"
        assert (await browser.post("/signout")).status_code == 204
    actions = [entry[2] for entry in await gateway.rows(LOG, me["user_id"])]
    assert actions == ["session.opened", "impersonation.read", "impersonation.refused", "session.closed"]


async def test_an_operators_rights_are_not_lent_to_whoever_acts_as_one(gateway: RunningGateway) -> None:
    own, acting = tokens(gateway)
    subject = (await gateway.get("/api/me", own)).json()["user_id"]
    named = await gateway.row('SELECT "clerkId" FROM users WHERE id = $1', subject)
    async with running_gateway(gateway.database, gateway.provider, operators=list(named)) as mine:
        assert (await mine.get("/api/me", own)).json()["operator"] is True
        assert (await mine.get("/api/me", acting)).json()["operator"] is False
