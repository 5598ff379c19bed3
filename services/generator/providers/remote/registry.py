"""The remote providers that the settings enable. The engine's seam: it takes them by name and follows their traits.

`contracts.offers.offers` says which models a client may name with them.
"""

from collections.abc import Iterator

from contracts.offers import has_openai
from services.generator.provider_settings import ProviderSettings
from services.generator.providers.base import RemoteProvider
from services.generator.providers.remote import (
    bfl,
    comfyui,
    fal,
    flask_backend,
    gemini,
    openai_images,
    replicate,
    veo,
)
from services.generator.providers.remote.in_parts import DividedProvider, InParts


def configured(settings: ProviderSettings) -> dict[str, RemoteProvider]:
    """Build every provider that has its key or its address; raises ValueError for a workflow that is none."""
    return {provider.name: InParts(provider) for provider in _enabled(settings)}


def _enabled(settings: ProviderSettings) -> Iterator[DividedProvider]:
    if settings.gemini_api_key:
        key = settings.gemini_api_key.get_secret_value()
        yield gemini.build(key, settings.gemini_url, settings.gemini_models)
        yield veo.build(key, settings.gemini_url, settings.veo_models)
    if has_openai(settings):
        secret = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
        yield openai_images.build(
            secret,
            settings.openai_url,
            settings.openai_models,
            idempotent=settings.openai_idempotent,
            partial_images=settings.openai_partial_images,
        )
    if settings.comfyui_url and settings.comfyui_workflows:
        headers = {name: value.get_secret_value() for name, value in settings.comfyui_headers.items()}
        yield comfyui.build(settings.comfyui_url, settings.comfyui_workflows, headers)
    if settings.fal_key:
        yield fal.build(settings.fal_key.get_secret_value(), settings.fal_url, settings.fal_models)
    if settings.replicate_api_token:
        yield replicate.build(
            settings.replicate_api_token.get_secret_value(),
            settings.replicate_url,
            settings.replicate_models,
            wait_seconds=settings.replicate_wait_seconds,
        )
    if settings.bfl_api_key:
        yield bfl.build(settings.bfl_api_key.get_secret_value(), settings.bfl_url, settings.bfl_models)
    if settings.backend_url:
        token = settings.backend_token.get_secret_value() if settings.backend_token else None
        yield flask_backend.build(settings.backend_url, token)
