"""Which models there are, who renders them, for which kinds and with which abilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contracts.prices import Price


@dataclass(frozen=True, slots=True)
class Model:
    """A model a client may name, and what it can do. None means all of the kind, or what only the provider knows.

    `at_once` is how many media one paid call makes, `max_count` how many one job may ask for; `ratios` the shapes of
    what comes back; `seconds` the lengths of films, `tall_seconds` those of films of more than 720 lines; `formats`
    what may come back; `takes_over` whether it may go on with a job that another model could not do.
    """

    id: str
    provider: str
    kinds: tuple[str, ...]
    at_once: int | None = None
    ratios: tuple[str, ...] | None = None
    seconds: tuple[int, ...] | None = None
    formats: tuple[str, ...] | None = None
    input_image: bool = False
    seed: bool = False
    sizes: tuple[str, ...] | None = None
    max_count: int | None = None
    tall_seconds: tuple[int, ...] | None = None
    fps: tuple[int, ...] | None = None
    price: Price | None = None
    takes_over: bool = True


MODELS = (
    Model("procedural-1", "procedural", ("image", "video"), input_image=True, seed=True),
    Model("instant", "instant", ("image", "video"), formats=("PNG", "MP4"), seed=True),
)
DEFAULT_MODEL = {"image": "procedural-1", "video": "procedural-1"}
RETIRED: Final[Mapping[str, str]] = {"gemini-2.5-flash-image": "gemini-3.1-flash-image"}
"""Model ids that their provider has ended, and what follows them; the seeds name the first."""


@dataclass(frozen=True, slots=True)
class Models:
    """The models of an installation by id, and who renders what nobody else is named for.

    `orders` has for each kind the models of a request that names none, the first that can do it first; `fallbacks`
    who may stand in for a model that was named; `retired` the successors of retired ones.
    """

    known: Mapping[str, Model]
    orders: Mapping[str, Sequence[str]]
    retired: Mapping[str, str] = field(default_factory=lambda: RETIRED)
    fallbacks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def default(self, kind: str) -> str | None:
        """Return the first model of a request that names none."""
        return next(iter(self.orders.get(kind, ())), None)

    def of_kind(self, kind: str) -> list[Model]:
        """Return every model that renders a kind."""
        return [model for model in self.known.values() if kind in model.kinds]

    def price_of(self, model: str) -> Price | None:
        """Return what a model costs; None where nobody has said."""
        found = self.known.get(model)
        return found.price if found is not None else None


BUILT_IN: Final = Models({model.id: model for model in MODELS}, {kind: (id_,) for kind, id_ in DEFAULT_MODEL.items()})
"""What needs no key and no address."""


class ModelUnknown(Exception):
    """No model of this name renders this kind; `known` lists those that do."""

    def __init__(self, kind: str, models: Models = BUILT_IN) -> None:
        self.known = [model.id for model in models.of_kind(kind)]
        super().__init__(f"model is not known for this kind; choose one of {', '.join(self.known)}")


class ModelRetired(Exception):
    """The provider has ended this model; `successor` follows it."""

    def __init__(self, successor: str) -> None:
        self.successor = successor
        super().__init__(f"this model has been retired by its provider; its successor is {successor}")


def choose_model(kind: str, wanted: str | None, models: Models = BUILT_IN) -> Model:
    """Return the wanted model, or the kind's default; raises ModelUnknown and ModelRetired."""
    name = wanted or models.default(kind) or ""
    model = models.known.get(name)
    if model is not None and kind in model.kinds:
        return model
    if model is None and name in models.retired:
        raise ModelRetired(models.retired[name])
    raise ModelUnknown(kind, models)
