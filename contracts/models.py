"""Which models there are, who renders them, for which kinds and with which abilities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Model:
    """A model a client may name, and what it can do. None means anything, or what only the provider knows.

    `at_once` is how many media one paid call makes; `ratios` the shapes of what comes back; `seconds` the lengths of
    films; `formats` what may come back.
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


MODELS = (
    Model("procedural-1", "procedural", ("image", "video"), input_image=True, seed=True),
    Model("instant", "instant", ("image", "video"), formats=("PNG", "MP4"), seed=True),
)
DEFAULT_MODEL = {"image": "procedural-1", "video": "procedural-1"}
RETIRED: Final[Mapping[str, str]] = {"gemini-2.5-flash-image": "gemini-3.1-flash-image"}
"""Model ids that their provider has ended, and what follows them; the seeds name the first."""


@dataclass(frozen=True, slots=True)
class Models:
    """The models of an installation by id, the default of each kind, and the retired ones with their successors."""

    known: Mapping[str, Model]
    defaults: Mapping[str, str]
    retired: Mapping[str, str] = field(default_factory=lambda: RETIRED)


BUILT_IN: Final = Models({model.id: model for model in MODELS}, DEFAULT_MODEL)
"""What needs no key and no address."""


class ModelUnknown(Exception):
    """No model of this name renders this kind; `known` lists those that do."""

    def __init__(self, kind: str, models: Models = BUILT_IN) -> None:
        self.known = [model.id for model in models.known.values() if kind in model.kinds]
        super().__init__(f"model is not known for this kind; choose one of {', '.join(self.known)}")


class ModelRetired(Exception):
    """The provider has ended this model; `successor` follows it."""

    def __init__(self, successor: str) -> None:
        self.successor = successor
        super().__init__(f"this model has been retired by its provider; its successor is {successor}")


def choose_model(kind: str, wanted: str | None, models: Models = BUILT_IN) -> Model:
    """Return the wanted model, or the kind's default; raises ModelUnknown and ModelRetired."""
    name = wanted or models.defaults[kind]
    model = models.known.get(name)
    if model is not None and kind in model.kinds:
        return model
    if model is None and name in models.retired:
        raise ModelRetired(models.retired[name])
    raise ModelUnknown(kind, models)
