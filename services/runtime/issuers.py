"""The verifier of bearer tokens that the settings describe."""

from services.runtime.oidc import Discovery
from services.runtime.settings import TokenSettings
from services.runtime.tokens import Expected, KeySet, TokenVerifier


def verifier_of(settings: TokenSettings) -> TokenVerifier | None:
    """Return what verifies the tokens of the issuer in the settings; None where none is named."""
    issuer = settings.jwt_issuer or settings.clerk_issuer
    if issuer is None:
        return None
    expected = Expected(
        issuer,
        authorized_parties=frozenset(settings.jwt_azp),
        missing_party_allowed=settings.clerk_allow_missing_azp,
        audience=tuple(settings.jwt_audience),
        required=("exp", "iat", "sub", "iss", *(("aud",) if settings.jwt_audience else ("nbf",))),
    )
    return TokenVerifier(expected, _keys_of(settings, issuer))


def _keys_of(settings: TokenSettings, issuer: str) -> KeySet:
    if settings.jwks_url is not None:
        return KeySet(settings.jwks_url)
    if settings.jwt_issuer is None:
        return KeySet(f"{issuer.rstrip('/')}/.well-known/jwks.json")
    return KeySet(Discovery(issuer).jwks_url)
