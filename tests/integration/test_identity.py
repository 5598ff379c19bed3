"""Who a token stands for: users, organisations and roles appear at first sight, and keys come and go."""

import asyncio
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.ids import new_id
from services.runtime import identity, tokens
from services.runtime.claims import Principal
from services.runtime.identity import Caller
from tests.support.gateway import RunningGateway, running_gateway
from tests.support.identity_provider import IdentityProvider, new_rsa_key

MEMBERSHIPS = """
    SELECT u."clerkId", o."clerkId", o.name, m.role FROM organization_memberships m
    JOIN users u ON u.id = m."userId" JOIN organizations o ON o.id = m."organizationId"
    WHERE u."clerkId" = $1 ORDER BY m."createdAt", m.id
"""


def first(organization: str, role: str = "admin", slug: str = "acme") -> dict[str, Any]:
    return {"org_id": organization, "org_role": f"org:{role}", "org_slug": slug}


def second(organization: str, role: str = "admin", slug: str = "acme") -> dict[str, Any]:
    return {"v": 2, "o": {"id": organization, "rol": role, "slg": slug}}


async def me(gateway: RunningGateway, **claims: Any) -> dict[str, Any]:
    answer = await gateway.get("/api/me", gateway.provider.sign(**claims))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_S2_both_versions_of_claims_are_the_same_principal(gateway: RunningGateway) -> None:
    user, organization = f"user_{new_id()}", f"org_{new_id()}"
    one = await me(gateway, sub=user, **first(organization))
    other = await me(gateway, sub=user, **second(organization))
    both = await me(gateway, sub=user, **first(organization), **second(organization))
    assert one == other == both
    assert one["organization"] == {"id": one["organization_id"], "name": "acme", "role": "admin"}
    assert await gateway.rows(MEMBERSHIPS, user) == [(user, organization, "acme", "admin")]
    contradicting = gateway.provider.sign(sub=user, **first(organization), **second("org_other"))
    answer = await gateway.get("/api/me", contradicting)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


async def test_J4_the_active_organisation_is_the_tokens_and_else_the_first_membership(gateway: RunningGateway) -> None:
    user, one, two = f"user_{new_id()}", f"org_{new_id()}", f"org_{new_id()}"
    nowhere = await me(gateway, sub=user)
    assert (nowhere["organization_id"], nowhere["organization"]) == (None, None)
    in_one = await me(gateway, sub=user, **second(one, slug="one"))
    in_two = await me(gateway, sub=user, **second(two, "member", slug="two"))
    assert in_one["organization_id"] != in_two["organization_id"]
    assert in_two["organization"]["role"] == "member"
    gateway.parts.identities._principals._kept.clear()
    assert (await me(gateway, sub=user))["organization"] == in_one["organization"]


async def test_a_role_that_changes_in_the_token_changes_in_the_membership(gateway: RunningGateway) -> None:
    user, organization = f"user_{new_id()}", f"org_{new_id()}"
    for role in ("member", "admin", "billing"):
        assert (await me(gateway, sub=user, **first(organization, role)))["organization"]["role"] == role
        assert [row[3] for row in await gateway.rows(MEMBERSHIPS, user)] == [role]


async def test_J2_requests_that_come_together_make_one_user_and_one_organisation(gateway: RunningGateway) -> None:
    user, organization = f"user_{new_id()}", f"org_{new_id()}"
    found = await asyncio.gather(*(me(gateway, sub=user, jti=str(n), **second(organization)) for n in range(30)))
    assert len({(one["user_id"], one["organization_id"]) for one in found}) == 1
    assert len(await gateway.rows(MEMBERSHIPS, user)) == 1
    assert await gateway.row('SELECT count(*) FROM organizations WHERE "clerkId" = $1', organization) == (1,)


async def test_a_job_belongs_to_the_organisation_of_the_token_that_asked(gateway: RunningGateway) -> None:
    user, organization = f"user_{new_id()}", f"org_{new_id()}"
    token = gateway.provider.sign(sub=user, **second(organization))
    answer = await gateway.ask("POST", "/api/images/generate", token, json={"prompt": "Un chat", "model": "instant"})
    assert answer.status_code == 202, answer.text
    found = await gateway.row(
        """SELECT o."clerkId", u."clerkId" FROM sorami.jobs j JOIN organizations o ON o.id = j.organization_id
           JOIN users u ON u.id = j.owner_id WHERE j.id = $1""",
        answer.json()["job_id"],
    )
    assert found == (organization, user)


async def test_J5_members_of_one_organisation_do_not_see_each_others_things(gateway: RunningGateway) -> None:
    organization = f"org_{new_id()}"
    owner, other = (gateway.provider.sign(sub=f"user_{new_id()}", **second(organization)) for _ in range(2))
    made = await gateway.ask("POST", "/api/images/generate", owner, json={"prompt": "Un chat", "model": "instant"})
    job_id = made.json()["job_id"]
    assert (await gateway.get(f"/api/images/{job_id}/status", owner)).status_code == 200
    assert (await gateway.get(f"/api/images/{job_id}/status", other)).status_code == 404


async def test_two_users_of_one_address_stay_two(gateway: RunningGateway) -> None:
    await asyncio.to_thread(gateway.database.execute, "CREATE UNIQUE INDEX one_address ON users (email)")
    try:
        one = await me(gateway, sub=f"user_{new_id()}", email="same@example.com")
        other = await me(gateway, sub=f"user_{new_id()}", email="same@example.com")
    finally:
        await asyncio.to_thread(gateway.database.execute, "DROP INDEX one_address")
    assert one["user_id"] != other["user_id"]
    assert (one["email"], other["email"]) == ("same@example.com", None)


async def test_a_subject_that_stands_twice_is_its_oldest_user(gateway: RunningGateway) -> None:
    user = f"user_{new_id()}"
    oldest = await me(gateway, sub=user)
    gateway.parts.identities._principals._kept.clear()
    await asyncio.to_thread(
        gateway.database.execute,
        f"""ALTER TABLE users DROP CONSTRAINT IF EXISTS "users_clerkId_key"; DROP INDEX IF EXISTS "users_clerkId_key";
            INSERT INTO users (id, "clerkId", "createdAt") VALUES ('a_{user}', '{user}', now() + interval '1 day');
            CREATE UNIQUE INDEX "users_clerkId_key" ON users ("clerkId") WHERE id <> ALL ('{{a_{user}}}'::text[])""",
    )
    assert (await me(gateway, sub=user))["user_id"] == oldest["user_id"]
    newcomer = f"user_{new_id()}"
    assert (await me(gateway, sub=newcomer, **second(f"org_{new_id()}")))["organization"]["role"] == "admin"


def forged(provider: IdentityProvider) -> list[str]:
    """Return tokens that somebody who knows all but the private key could make."""
    told, other = provider.told(), new_rsa_key()
    curve = jwt.encode(told, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": provider.key_id})
    shared = jwt.encode(told, "k" * 32, "HS256", {"kid": provider.key_id})
    none = jwt.encode(told, None, "none", {"kid": provider.key_id})  # type: ignore[arg-type]
    head, body, signature = provider.sign().split(".")
    changed = jwt.utils.base64url_encode(json.dumps(told | {"sub": "user_admin"}).encode()).decode()
    own_key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(other.public_key()))
    return [
        provider.sign(key=other),
        provider.sign(key=other, key_id="unknown"),
        jwt.encode(told, other, "RS256", {"kid": provider.key_id, "jwk": own_key}),
        jwt.encode(told, other, "RS256", {"kid": provider.key_id, "jku": "http://127.0.0.1:9/jwks.json"}),
        jwt.encode(told, provider.key, "RS256"),
        jwt.encode(told, provider.key, "RS512", {"kid": provider.key_id}),
        jwt.encode(told, provider.key, "PS256", {"kid": provider.key_id}),
        curve,
        shared,
        none,
        f"{head}.{changed}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        provider.sign(use="signin", jti="x"),
        provider.sign(sub="x" * 300),
        provider.sign(sub="user\x00"),
    ]


async def test_S1_forged_tokens_are_all_refused_in_the_same_words(gateway: RunningGateway) -> None:
    assert (await gateway.get("/api/me", gateway.provider.sign())).status_code == 200
    before = gateway.provider.key_fetches
    answers = [await gateway.get("/api/me", token) for token in forged(gateway.provider)]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["code"] for answer in answers} == {"token_invalid"}
    assert len({answer.text for answer in answers}) == 1
    assert gateway.provider.key_fetches - before <= 1


async def test_S3_a_rotated_key_is_learnt_and_the_old_one_forgotten(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = IdentityProvider()
    await provider.start()
    async with running_gateway(gateway.database, provider) as mine:
        before = provider.sign(exp=int(time.time()) + 3_600)
        assert (await mine.get("/api/me", before)).status_code == 200
        old = provider.rotate("k2")
        # The pause between fetches is over, as it is within 30 s.
        monkeypatch.setattr(tokens, "UNKNOWN_KEY_PAUSE", 0.0)
        assert (await mine.get("/api/me", provider.sign())).status_code == 200
        # The token was believed a moment ago and is remembered: it ends all the same with its key.
        assert (await mine.get("/api/me", before)).status_code == 401
        assert (await mine.get("/api/me", provider.sign(key=old, key_id="k1"))).status_code == 401
    await provider.stop()


async def test_S4_a_frozen_issuer_slows_nobody_who_is_known(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = IdentityProvider()
    await provider.start()
    monkeypatch.setattr(tokens, "FETCH_TIMEOUT", 20.0)
    async with running_gateway(gateway.database, provider) as mine:
        known = provider.sign()
        assert (await mine.get("/api/me", known)).status_code == 200
        monkeypatch.setattr(tokens, "UNKNOWN_KEY_PAUSE", 0.0)
        provider.frozen = asyncio.Event()
        provider.asked_for_keys.clear()
        fetched = provider.key_fetches
        strangers = [
            asyncio.create_task(mine.get("/api/me", provider.sign(key_id="k9", sub=f"user_{n}"))) for n in range(20)
        ]
        await asyncio.wait_for(provider.asked_for_keys.wait(), 10)
        # One fetch is under way and all strangers wait for it.
        times = []
        async with mine.browser(headers={"Authorization": f"Bearer {known}"}) as client:
            for _ in range(60):
                began = time.perf_counter()
                assert (await client.get("/api/me")).status_code == 200
                times.append(time.perf_counter() - began)
        assert not any(stranger.done() for stranger in strangers)
        assert provider.key_fetches == fetched + 1
        assert sorted(times)[-2] < 0.3
        monkeypatch.setattr(tokens, "UNKNOWN_KEY_PAUSE", 30.0)
        provider.frozen.set()
        assert {(await stranger).status_code for stranger in strangers} == {401}
    await provider.stop()


async def test_an_issuer_that_was_never_reached_is_our_trouble_and_not_the_callers(gateway: RunningGateway) -> None:
    provider = IdentityProvider()
    await provider.start()
    await provider.stop()
    async with running_gateway(gateway.database, provider) as mine:
        answer = await mine.get("/api/me", provider.sign())
        assert (answer.status_code, answer.json()["code"]) == (503, "token_keys_unavailable")
        assert answer.headers["retry-after"] == "2"


async def test_keys_are_found_by_discovery_and_in_clerks_place(gateway: RunningGateway) -> None:
    provider = gateway.provider
    async with running_gateway(gateway.database, provider, jwks_url=None) as mine:
        assert (await mine.get("/api/me", provider.sign())).status_code == 200
    clerk = {"jwt_issuer": None, "jwks_url": None, "clerk_issuer": provider.issuer}
    async with running_gateway(gateway.database, provider, **clerk) as mine:
        assert (await mine.get("/api/me", provider.sign())).status_code == 200


async def test_an_audience_is_checked_where_one_is_set(gateway: RunningGateway) -> None:
    provider = gateway.provider
    async with running_gateway(gateway.database, provider, jwt_audience=["api"]) as mine:
        assert (await mine.get("/api/me", provider.sign(aud=["api", "other"], nbf=None))).status_code == 200
        for wrong in ({"aud": "other"}, {"aud": None}, {}):
            assert (await mine.get("/api/me", provider.sign(**wrong))).json()["code"] == "token_invalid"


@pytest.mark.parametrize("path", ["/metrics", "/api/admin/queues"])
async def test_S5_nothing_internal_is_on_the_public_port(gateway: RunningGateway, path: str) -> None:
    assert (await gateway.get(path)).status_code in (401, 404)


async def test_S5_a_backends_webhook_wants_its_own_secret(gateway: RunningGateway) -> None:
    answer = await gateway.ask(
        "POST", "/api/webhooks/image-completion", gateway.provider.sign(), json={"job_id": "x", "status": "completed"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "webhook_signature_invalid")


async def test_J1_J6_the_same_token_opens_every_route_of_the_seeds(gateway: RunningGateway) -> None:
    token = gateway.provider.sign(sub=f"user_{new_id()}")
    for path in ("/api/images/user", "/api/videos/user"):
        assert (await gateway.get(path, token)).json()["success"] is True


@pytest.mark.parametrize("path", ["/api/images/user", "/api/keys", "/api/me", "/api/images/x/status"])
async def test_J3_nobody_is_told_so_in_the_seeds_words(gateway: RunningGateway, path: str) -> None:
    answer = await gateway.get(path)
    assert (answer.status_code, answer.json()["error"]) == (401, "Non authentifié")


async def test_a_caller_is_remembered_for_each_organisation_apart(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, one, two = f"user_{new_id()}", f"org_{new_id()}", f"org_{new_id()}"
    seen = [(await me(gateway, sub=user, **second(name)))["organization_id"] for name in (one, two, one, two)]
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]

    async def never(_: Principal) -> Caller:
        raise AssertionError("this caller was found a moment ago")

    monkeypatch.setattr(gateway.parts.identities, "_find", never)
    await me(gateway, sub=user, **second(one))
    assert identity._REMEMBER_SECONDS == 30.0
