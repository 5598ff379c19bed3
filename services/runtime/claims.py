"""What a verified token says: one principal, whatever version of claims said it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.runtime.tokens import TokenRefused, not_verified

_LONGEST = 256


@dataclass(frozen=True, slots=True)
class OrganizationClaim:
    """The active organisation of a token, by the provider's id; the role is without Clerk's `org:`."""

    id: str
    role: str | None = None
    slug: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a token stands for, as its issuer says it."""

    subject: str
    organization: OrganizationClaim | None = None
    email: str | None = None
    """None too when the issuer says that it was not verified."""
    email_verified: bool = False
    """Whether the issuer says that it was; only then the address proves who this is."""
    name: str | None = None
    actor: str | None = None
    """Who really acts, when somebody of the support team is signed in as this person (`act`)."""


def read_principal(claims: Mapping[str, Any]) -> Principal:
    """Read the claims of a verified token; raises TokenRefused when they contradict each other."""
    if claims.get("sts") == "pending":
        raise TokenRefused("session_pending", "the session has a task that is not done; finish signing in", status=403)
    return Principal(
        subject=str(claims["sub"]),
        organization=_organization(claims),
        email=_text(claims.get("email")) if claims.get("email_verified") is not False else None,
        email_verified=claims.get("email_verified") is True,
        name=_text(claims.get("name")),
        actor=_actor(claims.get("act")),
    )


def _text(value: Any) -> str | None:
    """Return a claim that is a usable text; others are as good as absent."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable() else None


def _actor(act: Any) -> str | None:
    if act is None:
        return None
    actor = _text(act.get("sub")) if isinstance(act, Mapping) else None
    if actor is None:
        # Somebody acts as somebody else and does not say who: that cannot be logged, so it is not believed.
        raise not_verified()
    return actor


def _organization(claims: Mapping[str, Any]) -> OrganizationClaim | None:
    """Return the active organisation: `v` decides which claims say it, and the others may not say another one."""
    version = claims.get("v")
    if version not in (None, 1, 2) or isinstance(version, bool):
        raise not_verified()
    first = _claim(claims.get("org_id"), claims.get("org_role"), claims.get("org_slug"))
    inner = claims.get("o")
    if inner is not None and not isinstance(inner, Mapping):
        raise not_verified()
    second = _claim(inner.get("id"), inner.get("rol"), inner.get("slg")) if inner else None
    if first and second and _differ(first, second):
        raise not_verified()
    return second if version == 2 else first


def _claim(organization_id: Any, role: Any, slug: Any) -> OrganizationClaim | None:
    if organization_id is None:
        return None
    known = _text(organization_id)
    if known is None:
        raise not_verified()
    role = _text(role)
    return OrganizationClaim(known, role.removeprefix("org:") if role else None, _text(slug))


def _differ(one: OrganizationClaim, other: OrganizationClaim) -> bool:
    roles = one.role and other.role and one.role != other.role
    slugs = one.slug and other.slug and one.slug != other.slug
    return bool(one.id != other.id or roles or slugs)
