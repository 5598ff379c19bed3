"""Claims: both versions of Clerk's tokens say the same principal, and one that contradicts itself says nobody."""

from typing import Any

import pytest

from contracts.scopes import OF_OPERATORS, PERSONAL, Scope, allowed_scopes
from services.runtime.api_keys import is_key, key_hash, new_key
from services.runtime.claims import OrganizationClaim, Principal, read_principal
from services.runtime.identity import ACT_FOR_OTHERS, Caller, Operators, session_cookie
from services.runtime.tokens import TokenRefused

FIRST = {"org_id": "org_1", "org_role": "org:admin", "org_slug": "acme"}
SECOND = {"v": 2, "o": {"id": "org_1", "rol": "admin", "slg": "acme"}}


def principal(**claims: Any) -> Principal:
    return read_principal({"sub": "user_1"} | claims)


def test_both_versions_say_the_same_principal() -> None:
    expected = Principal("user_1", OrganizationClaim("org_1", "admin", "acme"))
    assert principal(**FIRST) == principal(v=1, **FIRST) == principal(**SECOND) == expected
    assert principal(**FIRST, **SECOND) == expected


def test_the_version_decides_which_claims_count() -> None:
    assert principal(**FIRST, v=2).organization is None
    assert principal(o=SECOND["o"]).organization is None
    assert principal(o=SECOND["o"], v=1).organization is None
    assert principal().organization is None
    assert principal(v=2).organization is None


@pytest.mark.parametrize(
    "claims",
    [
        SECOND | FIRST | {"org_id": "org_2"},
        SECOND | FIRST | {"org_role": "org:member"},
        SECOND | FIRST | {"org_slug": "other"},
        FIRST | {"o": {"id": "org_2"}},
        {"v": 3},
        {"v": "2"},
        {"v": True},
        {"v": 2, "o": "org_1"},
        {"v": 2, "o": {"id": 1}},
        {"org_id": ["org_1"]},
        {"org_id": "org\x00"},
        {"act": {}},
        {"act": "somebody"},
        {"act": {"sub": 1}},
    ],
)
def test_claims_that_contradict_themselves_say_nobody(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused) as refused:
        principal(**claims)
    assert (refused.value.code, refused.value.status) == ("token_invalid", 401)


def test_a_pending_session_is_forbidden_rather_than_unknown() -> None:
    with pytest.raises(TokenRefused) as refused:
        principal(sts="pending")
    assert (refused.value.code, refused.value.status) == ("session_pending", 403)
    assert principal(sts="active") == principal()


def test_an_address_that_was_not_verified_is_not_taken() -> None:
    assert principal(email="a@b.c", email_verified=False).email is None
    assert principal(email="a@b.c") == Principal("user_1", email="a@b.c")
    assert principal(email="a@b.c", email_verified=True).email_verified
    assert principal(email=1, name="x\x00").name is None


def test_operators_are_known_by_what_the_issuer_vouches_for() -> None:
    operators = Operators(frozenset({"user_op", "ops@example.com"}), frozenset({"org_1:admin"}))
    assert operators.include(Principal("user_op"))
    assert operators.include(Principal("user_1", email="Ops@example.com", email_verified=True))
    assert operators.include(Principal("user_1", OrganizationClaim("org_1", "admin")))
    assert not operators.include(Principal("user_1", email="ops@example.com"))
    assert not operators.include(Principal("user_1", OrganizationClaim("org_1", "member")))
    assert not operators.include(Principal("user_1", OrganizationClaim("org_2", "admin")))
    assert not operators.include(Principal("user_op", actor="support"))
    assert not Operators().include(Principal("user_1", email_verified=True))


def test_a_key_may_do_what_it_was_made_with_and_a_person_what_is_personal() -> None:
    assert allowed_scopes(None, operator=False) == PERSONAL
    assert allowed_scopes(None, operator=True) == OF_OPERATORS == set(Scope)
    assert allowed_scopes(frozenset({"jobs:read"}), operator=True) == {Scope.JOBS_READ}
    assert ACT_FOR_OTHERS == Scope.ACT_FOR_OTHERS
    assert Caller("u", scopes=frozenset({ACT_FOR_OTHERS})).may_act_for_others
    assert Caller("u", operator=True).may_act_for_others
    assert not Caller("u").may_act_for_others
    assert not Caller("u", scopes=frozenset({"jobs:write"}), operator=True).may_act_for_others


def test_a_key_has_a_part_to_show_and_a_part_that_is_secret() -> None:
    secret, prefix = new_key()
    assert is_key(secret)
    assert secret.startswith(f"{prefix}_")
    assert prefix.startswith("sk_sorami_")
    assert len(key_hash(secret)) == 32
    assert new_key()[0] != secret
    assert not any(is_key(text) for text in (secret[:-1], secret + "x", secret + "\n", "sk_sorami_", secret.upper()))


def test_over_https_no_other_host_can_plant_the_cookie() -> None:
    assert session_cookie("https://sorami.example") == "__Host-sorami_session"
    assert session_cookie("http://127.0.0.1:9006") == "sorami_session"
