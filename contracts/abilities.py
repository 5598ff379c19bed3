"""Which model can do an order: impossible work is refused when it is asked for, never accepted and failed later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from contracts.faults import Fault
from contracts.kinds import parse_size
from contracts.models import BUILT_IN, Model, Models, choose_model
from contracts.requests import Wanted

RATIO_SLACK: Final = 0.06
"""How far a size may be from a model's nearest ratio: about six percent."""
TALL_LINES: Final = 720


class ModelCannot(Exception):
    """The model that was named, or every model of the kind, cannot do this; `others` are those that can."""

    def __init__(self, model: str | None, faults: Sequence[Fault], others: Sequence[str]) -> None:
        self.model = model
        self.faults = list(faults)
        self.others = list(others)
        hint = f"; {' or '.join(others[:3])} can do this" if others else "; no model here can do this"
        super().__init__("; ".join(fault.detail for fault in faults) + hint)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who renders a request, and who takes over, in this order, when that model's provider cannot."""

    model: Model
    fallbacks: tuple[str, ...] = ()


def choose(wanted: Wanted, models: Models = BUILT_IN) -> Choice:
    """Choose the model of a request; raises ModelUnknown, ModelRetired and ModelCannot.

    A model that was named is the one that renders, unless the settings name others for it or the request asks for a
    fallback; where none was named, the first of the kind's order that can do it does, and the rest stand in.
    """
    if wanted.model is None:
        return _first_able(wanted, models)
    model = choose_model(wanted.kind.name, wanted.model, models)
    if faults := lacks(model, wanted):
        raise ModelCannot(model.id, faults, _able(wanted, models.known, models))
    after = models.fallbacks.get(model.id, ())
    if wanted.fallback and not after:
        after = models.orders.get(wanted.kind.name, ())
    others = [name for name in _able(wanted, after, models) if name != model.id]
    return Choice(model, () if wanted.fallback is False else _taking_over(others, models))


def _first_able(wanted: Wanted, models: Models) -> Choice:
    order = models.orders.get(wanted.kind.name, ())
    able = _able(wanted, order, models)
    if not able:
        default = choose_model(wanted.kind.name, None, models)
        raise ModelCannot(default.id, lacks(default, wanted), _able(wanted, models.known, models))
    return Choice(models.known[able[0]], () if wanted.fallback is False else _taking_over(able[1:], models))


def _taking_over(names: Iterable[str], models: Models) -> tuple[str, ...]:
    return tuple(name for name in names if models.known[name].takes_over)


def _able(wanted: Wanted, names: Iterable[str], models: Models) -> list[str]:
    found = [models.known[name] for name in names if name in models.known]
    return [model.id for model in found if wanted.kind.name in model.kinds and not lacks(model, wanted)]


def lacks(model: Model, wanted: Wanted) -> list[Fault]:
    """Say what of a request the model cannot do, each with what it can; empty when it can do all of it."""
    return [fault for fault in (check(model, wanted) for check in _CHECKS) if fault is not None]


def _size(model: Model, wanted: Wanted) -> Fault | None:
    if model.sizes is not None and wanted.size not in model.sizes:
        return _cannot("size", f"{model.id} makes {', '.join(model.sizes)}, not {wanted.size}")
    width, height = parse_size(wanted.size)
    if model.ratios is not None and min(distance(width, height, ratio) for ratio in model.ratios) > RATIO_SLACK:
        return _cannot("size", f"{model.id} makes shapes of {', '.join(model.ratios)}, which {wanted.size} is not")
    return None


def _format(model: Model, wanted: Wanted) -> Fault | None:
    if model.formats is None or wanted.format in model.formats:
        return None
    formats = [name for name in wanted.kind.formats if name in model.formats]
    return _cannot("format", f"{model.id} makes {', '.join(formats)}, not {wanted.format}")


def _count(model: Model, wanted: Wanted) -> Fault | None:
    if model.max_count is None or wanted.count <= model.max_count:
        return None
    field = wanted.kind.count_field
    return _cannot(field, f"{model.id} makes at most {model.max_count} {wanted.kind.plural} of one request")


def _length(model: Model, wanted: Wanted) -> Fault | None:
    asked = wanted.options.get("duration_seconds")
    # Of a size that is not made there is no length to speak of.
    tall = model.tall_seconds if min(parse_size(wanted.size)) > TALL_LINES and not _size(model, wanted) else None
    allowed = model.seconds if tall is None else tall
    if asked is None or allowed is None or asked in allowed:
        return None
    where = f" at {wanted.size}" if tall else ""
    lengths = " or ".join(str(length) for length in allowed)
    return _cannot("duration_seconds", f"{model.id} makes films of {lengths} seconds{where}, not {asked:g}")


def _frames(model: Model, wanted: Wanted) -> Fault | None:
    asked = wanted.options.get("fps")
    if asked is None or model.fps is None or asked in model.fps:
        return None
    rates = " or ".join(str(rate) for rate in model.fps)
    return _cannot("fps", f"{model.id} makes {rates} frames per second, not {asked}")


def _input_image(model: Model, wanted: Wanted) -> Fault | None:
    if wanted.input_image_url is None or model.input_image:
        return None
    return _cannot("input_image_url", f"{model.id} starts from no image; leave input_image_url out")


_CHECKS: Final = (_size, _format, _count, _length, _frames, _input_image)


def _cannot(field: str, detail: str) -> Fault:
    return Fault(field, "model_cannot", detail)


def distance(width: int, height: int, ratio: str) -> float:
    """How far a size is from a ratio (`16:9`): 0 is the same, 0.1 about ten percent."""
    across, _, down = ratio.partition(":")
    return abs(log(width / height) - log(int(across) / int(down)))
