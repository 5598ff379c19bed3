"""What the settings let a client ask for: each model with its provider and abilities, as data for routing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.kinds import KINDS
from services.generator.provider_settings import IMAGE_INPUT, REPLICATE_INPUT, ProviderSettings, TemplatedModel
from services.generator.providers.remote import bfl, comfyui, flask_backend, gemini, openai_images, veo
from services.generator.request_templates import fields_in


@dataclass(frozen=True, slots=True)
class Offer:
    """A model and what it can do. None means anything, or what only the provider knows.

    `at_once` is how many media one paid call makes; `seconds` the lengths of films; `formats` what may come back.
    """

    model: str
    provider: str
    kinds: tuple[str, ...]
    at_once: int | None = None
    ratios: tuple[str, ...] | None = None
    seconds: tuple[int, ...] | None = None
    formats: tuple[str, ...] | None = None
    input_image: bool = False
    seed: bool = False


RETIRED: Final[Mapping[str, str]] = gemini.RETIRED
"""Models that are refused with a hint: the id and its successor."""


def offers(settings: ProviderSettings) -> dict[str, Offer]:
    """Return the offers of every enabled provider by model; the first provider of a name keeps it."""
    known: dict[str, Offer] = {}
    for offer in _all(settings):
        known.setdefault(offer.model, offer)
    return known


def has_openai(settings: ProviderSettings) -> bool:
    """A key, or a server of one's own that may need none."""
    return settings.openai_api_key is not None or "openai_url" in settings.model_fields_set


def _all(settings: ProviderSettings) -> Iterator[Offer]:
    yield from _of_google(settings)
    yield from _of_names(settings)
    if settings.comfyui_workflows:
        for model, flow in comfyui.load_workflows(settings.comfyui_workflows).items():
            yield _templated(model, "comfyui", flow.kind, flow.graph)
    if settings.fal_key:
        yield from _of_models("fal", settings.fal_models, IMAGE_INPUT)
    if settings.replicate_api_token:
        yield from _of_models("replicate", settings.replicate_models, REPLICATE_INPUT)
    if settings.backend_url:
        yield Offer(flask_backend.MODEL, "flask", tuple(KINDS), input_image=True)


def _of_google(settings: ProviderSettings) -> Iterator[Offer]:
    if settings.gemini_api_key is None:
        return
    for model in settings.gemini_models:
        yield Offer(model, "gemini", ("image",), 1, gemini.RATIOS, formats=("JPEG", "PNG"), input_image=True)
    for model in settings.veo_models:
        yield Offer(model, "veo", ("video",), 1, veo.RATIOS, veo.SECONDS, ("MP4",), input_image=True)


def _of_names(settings: ProviderSettings) -> Iterator[Offer]:
    if has_openai(settings):
        most = 1 if settings.openai_partial_images else openai_images.MOST_AT_ONCE
        for model in settings.openai_models:
            yield Offer(model, "openai", ("image",), most, formats=_upper(openai_images.FORMATS), input_image=True)
    if settings.bfl_api_key:
        for model in settings.bfl_models:
            yield Offer(model, "bfl", ("image",), 1, formats=_upper(bfl.FORMATS), input_image=True, seed=True)


def _upper(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.upper() for name in names)


def _of_models(provider: str, models: Mapping[str, TemplatedModel], usual: Any) -> Iterator[Offer]:
    for name, model in models.items():
        yield _templated(name, provider, model.kind, usual if model.input is None else model.input)


def _templated(model: str, provider: str, kind: str, template: Any) -> Offer:
    """What a template has a field for, its model can do."""
    fields = fields_in(template)
    return Offer(
        model,
        provider,
        (kind,),
        at_once=None if "count" in fields else 1,
        input_image="input_image" in fields,
        seed="seed" in fields,
    )
