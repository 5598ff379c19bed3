"""Which models there are, who renders them and for which kinds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model a client may name."""

    id: str
    provider: str
    kinds: tuple[str, ...]


MODELS = (
    Model("procedural-1", "procedural", ("image", "video")),
    Model("instant", "instant", ("image", "video")),
)
DEFAULT_MODEL = {"image": "procedural-1", "video": "procedural-1"}


class ModelUnknown(Exception):
    """No model of this name renders this kind; `known` lists those that do."""

    def __init__(self, kind: str) -> None:
        self.known = [model.id for model in MODELS if kind in model.kinds]
        super().__init__(f"model is not known for this kind; choose one of {', '.join(self.known)}")


def choose_model(kind: str, wanted: str | None) -> Model:
    """Return the wanted model, or the kind's default; raises ModelUnknown."""
    name = wanted or DEFAULT_MODEL[kind]
    for model in MODELS:
        if model.id == name and kind in model.kinds:
            return model
    raise ModelUnknown(kind)
