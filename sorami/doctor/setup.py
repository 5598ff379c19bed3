"""Settings: those that are wrong, and those that are missing where something will be missed."""

import os
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from services.gateway.settings import GatewaySettings, OfferSettings
from services.generator.settings import GeneratorSettings
from services.notifier.settings import NotifierSettings
from services.persistence.settings import PersistenceSettings
from services.runtime.settings import read_settings, reasons_of
from sorami.doctor.findings import Finding, bad, look, ok

CLASSES: Mapping[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "generator": GeneratorSettings,
    "persistence": PersistenceSettings,
    "notifier": NotifierSettings,
}
ISSUERS = ("SORAMI_JWT_ISSUER", "CLERK_ISSUER", "SORAMI_OIDC_ISSUER")
PROVIDERS = (
    "GEMINI_API_KEY", "OPENAI_API_KEY", "SORAMI_OPENAI_URL", "FAL_KEY", "REPLICATE_API_TOKEN", "BFL_API_KEY",
    "SORAMI_COMFYUI_URL", "BACKEND_URL", "SORAMI_EXTERNAL_MODELS",
)  # fmt: skip


def wrong_settings() -> list[Finding]:
    """Read every service's settings and say which are wrong."""
    reasons: dict[str, None] = {}
    classes: list[tuple[str, type[BaseSettings]]] = [*CLASSES.items(), ("gateway", OfferSettings)]
    for service, settings in classes:
        try:
            read_settings(settings, service)
        except ValidationError as error:
            reasons |= dict.fromkeys(reasons_of(error, settings))
    if not reasons:
        return [ok("settings", "every service can read its own")]
    return [bad("settings", reason, "set it rightly; .env.example says what it means") for reason in reasons]


def missing_settings(environ: Mapping[str, str] = os.environ) -> list[Finding]:
    """Say which settings are absent that an installation of this kind will miss."""

    def without(*names: str) -> bool:
        return not any(environ.get(name) for name in names)

    found = []
    if without(*ISSUERS):
        found.append(
            bad("sign-in", "nobody's tokens are believed", "name an issuer: SORAMI_OIDC_ISSUER or SORAMI_JWT_ISSUER")
        )
    if without("SORAMI_OPERATORS", "SORAMI_OPERATOR_ROLES"):
        found.append(look("operators", "nobody may operate the system", "name somebody: SORAMI_OPERATORS"))
    if without("SORAMI_ENCRYPTION_KEYS"):
        found.append(
            look(
                "secrets",
                "people's webhook endpoints answer 503",
                "set SORAMI_ENCRYPTION_KEYS (id:base64 of 32 bytes), the same for gateway and notifier",
            )
        )
    if without("WEBHOOK_SECRET") and not without("WEBHOOK_URL", "BACKEND_URL"):
        found.append(look("secrets", "a backend's webhooks are refused with 503", "set WEBHOOK_SECRET on both sides"))
    if without(*PROVIDERS):
        found.append(look("providers", "only the built-in painters render", "enable one by its key or address"))
    if environ.get("ENVIRONMENT") == "production" and environ.get("SORAMI_PUBLIC_URL", "").startswith("http://"):
        found.append(look("address", "SORAMI_PUBLIC_URL is not https", "put TLS in front, and say so in the address"))
    return found or [ok("secrets", "issuer, operators, keys and providers are named")]
