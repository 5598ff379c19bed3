"""Which models a client may name, and what each can do."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from contracts.kinds import KINDS
from contracts.models import Model, Models
from contracts.scopes import Scope
from services.gateway.api import schemas
from services.gateway.api.callers import caller
from services.gateway.api.etags import answer
from services.gateway.parts import Parts


class Numbers(BaseModel):
    """A range, both ends included."""

    least: float
    most: float


class ModelAbilities(BaseModel):
    """What a model does for one kind."""

    kind: str
    default: bool = Field(description="Whether a request that names no model gets this one.")
    sizes: list[str] = Field(description="WIDTHxHEIGHT in pixels.")
    ratios: list[str] | None = Field(description="Shapes of what comes back; null for any.")
    formats: list[str] = Field(description="What may come back.")
    max_count: int = Field(description="Most media of one job.")
    at_once: int | None = Field(
        description="Media of one paid call of the provider, larger jobs are several; null for any."
    )
    durations: list[int] | Numbers | None = Field(description="Seconds: these lengths, or a range; null for a still.")


class ModelView(BaseModel):
    """A model a request may name."""

    id: str
    provider: str
    kinds: list[str]
    default_for: list[str] = Field(description="Kinds whose requests get this model when they name none.")
    input_image: bool = Field(description="Whether it takes `input_image_url`.")
    seed: bool = Field(description="Whether the same seed gives the same picture.")
    abilities: list[ModelAbilities] = Field(description="One for each kind.")


class RetiredModel(BaseModel):
    """A model that its provider has ended."""

    id: str
    successor: str


class ModelList(BaseModel):
    """All models, ours first."""

    models: list[ModelView]
    retired: list[RetiredModel]


def _abilities(model: Model, name: str, models: Models) -> dict[str, Any]:
    kind = KINDS[name]
    length = next((number for number in kind.numbers if number.name == "duration_seconds"), None)
    durations: Any = None
    if length is not None:
        durations = list(model.seconds) if model.seconds else {"least": length.least, "most": length.most}
    return {
        "kind": name,
        "default": models.defaults[name] == model.id,
        "sizes": list(kind.sizes),
        "ratios": list(model.ratios) if model.ratios else None,
        "formats": [one for one in kind.formats if model.formats is None or one in model.formats],
        "max_count": kind.max_count,
        "at_once": model.at_once,
        "durations": durations,
    }


def _view(model: Model, models: Models) -> dict[str, Any]:
    return {
        "id": model.id,
        "provider": model.provider,
        "kinds": list(model.kinds),
        "default_for": [kind for kind in model.kinds if models.defaults[kind] == model.id],
        "input_image": model.input_image,
        "seed": model.seed,
        "abilities": [_abilities(model, kind, models) for kind in model.kinds],
    }


def model_router(parts: Parts) -> APIRouter:
    """Make GET /api/models."""
    router = APIRouter(prefix="/api", tags=["models"])
    models = parts.models
    body = {
        "models": [_view(model, models) for model in models.known.values()],
        "retired": [
            {"id": name, "successor": successor}
            for name, successor in models.retired.items()
            if name not in models.known
        ],
    }

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
        return answer(request, body)

    return router
