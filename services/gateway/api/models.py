"""Which models a client may name, and what each can do."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from contracts.abilities import RATIO_SLACK, distance
from contracts.kinds import KINDS, Kind, parse_size
from contracts.models import Model, Models
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.parts import Parts
from services.gateway.usecases.watch_providers import Unavailable


class Numbers(BaseModel):
    """A range, both ends included."""

    least: float
    most: float


class PriceView(BaseModel):
    """What it costs, as far as it is known: a note, not a bill."""

    amount: str = Field(description="A decimal number.", examples=["0.067"])
    unit: str = Field(json_schema_extra={"enum": ["medium", "second", "job"]})
    currency: str = Field(examples=["USD"])


class ModelAbilities(BaseModel):
    """What a model does for one kind."""

    kind: str
    default: bool = Field(description="Whether a request that names no model gets this one.")
    sizes: list[str] = Field(description="WIDTHxHEIGHT in pixels that may be asked for.")
    ratios: list[str] | None = Field(description="Shapes of what comes back; null for any.")
    formats: list[str] = Field(description="What may come back.")
    max_count: int = Field(description="Most media of one job.")
    at_once: int | None = Field(
        description="Media of one paid call of the provider, larger jobs are several; null for any."
    )
    durations: list[int] | Numbers | None = Field(description="Seconds: these lengths, or a range; null for a still.")
    tall_durations: list[int] | None = Field(
        description="Seconds of films of more than 720 lines where they differ; null where they do not."
    )
    fps: list[int] | Numbers | None = Field(description="Frames per second: these, or a range; null for a still.")
    order: int | None = Field(description="Its place among those that render what names no model, from 1.")


class ModelView(BaseModel):
    """A model a request may name."""

    id: str
    provider: str
    kinds: list[str]
    default_for: list[str] = Field(description="Kinds whose requests get this model when they name none.")
    input_image: bool = Field(description="Whether it takes `input_image_url`.")
    seed: bool = Field(description="Whether the same seed gives the same picture.")
    price: PriceView | None = Field(description="Null where it is not known.")
    available: bool = Field(description="Whether its work begins now; a request is taken all the same, and waits.")
    unavailable_reason: str | None = Field(
        description="`failing`: its provider fails and is tried again soon; `paused`: an operator stopped it.",
        json_schema_extra={"enum": ["failing", "paused", None]},
    )
    fallbacks: list[str] = Field(description="Models that may stand in for this one without being asked.")
    abilities: list[ModelAbilities] = Field(description="One for each kind.")


class RetiredModel(BaseModel):
    """A model that its provider has ended."""

    id: str
    successor: str


class ModelList(BaseModel):
    """All models, ours first."""

    models: list[ModelView]
    retired: list[RetiredModel]


def _sizes(model: Model, kind: Kind) -> list[str]:
    sizes = [size for size in kind.sizes if model.sizes is None or size in model.sizes]
    ratios = model.ratios
    if ratios is None:
        return sizes
    return [size for size in sizes if min(distance(*parse_size(size), ratio) for ratio in ratios) <= RATIO_SLACK]


def _range(kind: Kind, name: str, some: tuple[int, ...] | None) -> Any:
    number = next((number for number in kind.numbers if number.name == name), None)
    if number is None:
        return None
    return list(some) if some else {"least": number.least, "most": number.most}


def _abilities(model: Model, name: str, models: Models) -> dict[str, Any]:
    kind = KINDS[name]
    order = list(models.orders.get(name, ()))
    return {
        "kind": name,
        "default": models.default(name) == model.id,
        "sizes": _sizes(model, kind),
        "ratios": list(model.ratios) if model.ratios else None,
        "formats": [one for one in kind.formats if model.formats is None or one in model.formats],
        "max_count": min(kind.max_count, model.max_count or kind.max_count),
        "at_once": model.at_once,
        "durations": _range(kind, "duration_seconds", model.seconds),
        "tall_durations": list(model.tall_seconds) if model.tall_seconds else None,
        "fps": _range(kind, "fps", model.fps),
        "order": order.index(model.id) + 1 if model.id in order else None,
    }


def _price(model: Model) -> dict[str, str] | None:
    price = model.price
    return {"amount": f"{price.amount:f}", "unit": price.unit, "currency": price.currency} if price else None


def _view(model: Model, models: Models) -> dict[str, Any]:
    return {
        "id": model.id,
        "provider": model.provider,
        "kinds": list(model.kinds),
        "default_for": [kind for kind in model.kinds if models.default(kind) == model.id],
        "input_image": model.input_image,
        "seed": model.seed,
        "price": _price(model),
        "fallbacks": list(models.fallbacks.get(model.id, ())),
        "abilities": [_abilities(model, kind, models) for kind in model.kinds],
    }


def _now(view: dict[str, Any], unavailable: Unavailable) -> dict[str, Any]:
    reason = unavailable.get(view["id"])
    return view | {"available": reason is None, "unavailable_reason": reason}


def model_router(parts: Parts) -> APIRouter:
    """Make GET /api/models."""
    router = APIRouter(prefix="/api", tags=["models"])
    models = parts.models
    views = [_view(model, models) for model in models.known.values()]
    retired = [
        {"id": name, "successor": successor} for name, successor in models.retired.items() if name not in models.known
    ]

    @router.get(
        "/models",
        summary="List the models a request may name",
        operation_id="list_models",
        responses={200: {"model": ModelList, "description": "The models and what each can do"}}
        | schemas.NOT_MODIFIED
        | schemas.problems(401, 403, 503),
    )
    async def list_models(request: Request) -> Response:
        await caller(parts, request, Scope.JOBS_READ)
        unavailable = await parts.watch_providers()
        return answer(request, {"models": [_now(view, unavailable) for view in views], "retired": retired})

    return router
