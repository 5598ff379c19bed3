"""What the settings let a client ask for: each model with its provider and abilities, as data for routing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from contracts.kinds import KINDS
from contracts.models import BUILT_IN, Model, Models
from contracts.prices import KNOWN_PRICES, Price
from contracts.provider_settings import IMAGE_INPUT, REPLICATE_INPUT, ProviderFields, TemplatedModel
from contracts.request_templates import fields_in
from contracts.workflows import Workflow

GEMINI_RATIOS: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
VEO_RATIOS: Final = ("16:9", "9:16")
VEO_SECONDS: Final = (4, 6, 8)
VEO_TALL_SECONDS: Final = (8,)
VEO_FPS: Final = (24,)
OPENAI_AT_ONCE: Final = 10
USUAL_FORMATS: Final = ("PNG", "JPEG", "WEBP")
FLASK_MODEL: Final = "flask-backend"


def offers(settings: ProviderFields, workflows: Mapping[str, Workflow]) -> Models:
    """Return the models of an installation: our own and those of every enabled provider.

    The first provider of a name keeps it. Raises ValueError when a default or a fallback is no model of its kind.
    """
    known = dict(BUILT_IN.known)
    for model in _all(settings, workflows):
        known.setdefault(model.id, model)
    known = {name: _priced(model, settings.prices) for name, model in known.items()}
    orders = {kind: tuple(names) for kind, names in BUILT_IN.orders.items()}
    for kind in orders:
        wanted = getattr(settings, f"default_{kind}_model", None)
        if wanted:
            orders[kind] = tuple(wanted)
            _check(known, wanted, kind, f"SORAMI_DEFAULT_{kind.upper()}_MODEL")
    for name, others in settings.fallbacks.items():
        if name not in known:
            raise ValueError(f"SORAMI_FALLBACKS: no enabled provider has a model {name[:100]}")
        if not all(other in known and set(known[other].kinds) & set(known[name].kinds) for other in others):
            raise ValueError(
                f"SORAMI_FALLBACKS: each model after {name[:100]} must be known and render a kind that it renders"
            )
        if not all(known[other].takes_over for other in others):
            raise ValueError(f"SORAMI_FALLBACKS: an external model cannot stand in for {name[:100]}")
    return Models(known, orders, fallbacks=settings.fallbacks)


def _check(known: Mapping[str, Model], names: Iterable[str], kind: str, setting: str) -> None:
    for name in names:
        if name not in known or kind not in known[name].kinds:
            raise ValueError(f"{setting}: no enabled provider has a model {name[:100]} for {kind}s")


def _priced(model: Model, prices: Mapping[str, Price]) -> Model:
    price = prices.get(model.id) or model.price or KNOWN_PRICES.get(model.id)
    return replace(model, price=price) if price != model.price else model


def has_openai(settings: ProviderFields) -> bool:
    """A key, or a server of one's own that may need none."""
    return settings.openai_api_key is not None or "openai_url" in settings.model_fields_set


def _all(settings: ProviderFields, workflows: Mapping[str, Workflow]) -> Iterator[Model]:
    yield from _of_google(settings)
    yield from _of_names(settings)
    for model, flow in workflows.items():
        yield _templated(Model(model, "comfyui", (flow.kind,)), flow.graph)
    if settings.fal_key:
        yield from _of_models("fal", settings.fal_models, IMAGE_INPUT)
    if settings.replicate_api_token:
        yield from _of_models("replicate", settings.replicate_models, REPLICATE_INPUT)
    for name, one in settings.external_models.items():
        yield Model(
            name,
            one.provider_name,
            (one.kind,),
            ratios=one.ratios,
            seconds=one.seconds,
            formats=one.formats,
            input_image=one.input_image,
            seed=one.seed,
            # Its worker hears a job when it is requested, and never again.
            takes_over=False,
        )
    if settings.backend_url:
        yield Model(FLASK_MODEL, "flask", tuple(KINDS), input_image=True)


def _of_google(settings: ProviderFields) -> Iterator[Model]:
    if settings.gemini_api_key is None:
        return
    for model in settings.gemini_models:
        yield Model(model, "gemini", ("image",), 1, GEMINI_RATIOS, formats=("JPEG", "PNG"), input_image=True)
    for model in settings.veo_models:
        yield Model(
            model,
            "veo",
            ("video",),
            at_once=1,
            ratios=VEO_RATIOS,
            seconds=VEO_SECONDS,
            tall_seconds=VEO_TALL_SECONDS,
            fps=VEO_FPS,
            formats=("MP4",),
            input_image=True,
        )


def _of_names(settings: ProviderFields) -> Iterator[Model]:
    if has_openai(settings):
        most = 1 if settings.openai_partial_images else OPENAI_AT_ONCE
        for model in settings.openai_models:
            yield Model(model, "openai", ("image",), most, formats=USUAL_FORMATS, input_image=True)
    if settings.bfl_api_key:
        for model in settings.bfl_models:
            yield Model(model, "bfl", ("image",), 1, formats=USUAL_FORMATS, input_image=True, seed=True)


def _of_models(provider: str, models: Mapping[str, TemplatedModel], usual: Any) -> Iterator[Model]:
    for name, model in models.items():
        told = Model(
            name,
            provider,
            (model.kind,),
            sizes=model.sizes,
            ratios=model.ratios,
            seconds=model.seconds,
            fps=model.fps,
            formats=model.formats,
            max_count=model.max_count,
            price=model.price,
        )
        yield _templated(told, usual if model.input is None else model.input)


def _templated(model: Model, template: Any) -> Model:
    """What a template has a field for, its model can do; an image it has no place for would be left out unseen."""
    fields = fields_in(template)
    return replace(
        model,
        at_once=None if "count" in fields else 1,
        input_image="input_image" in fields,
        seed="seed" in fields,
    )
