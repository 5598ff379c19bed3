"""Who can do an order: what is impossible is said when it is asked for, with what would be possible."""

from typing import Any

import pytest

from contracts.abilities import ModelCannot, choose, lacks
from contracts.kinds import IMAGE, VIDEO, Kind
from contracts.models import BUILT_IN, Model, Models
from contracts.offers import VEO_FPS, VEO_RATIOS, VEO_SECONDS, VEO_TALL_SECONDS
from contracts.requests import Wanted, read_request

VEO = Model(
    "veo",
    "veo",
    ("video",),
    ratios=VEO_RATIOS,
    seconds=VEO_SECONDS,
    tall_seconds=VEO_TALL_SECONDS,
    fps=VEO_FPS,
    formats=("MP4",),
)
SMALL = Model("small", "s", ("image",), sizes=("512x512",), max_count=2, formats=("PNG",))
WIDE = Model("wide", "w", ("image",), input_image=True)
MODELS = Models(
    {**BUILT_IN.known, "veo": VEO, "small": SMALL, "wide": WIDE},
    {"image": ("small", "wide", "procedural-1"), "video": ("veo",)},
    fallbacks={"small": ("wide",)},
)


def wanted(kind: Kind = IMAGE, **body: Any) -> Wanted:
    return read_request(kind, {"prompt": "a cat"} | body)


@pytest.mark.parametrize(
    ("model", "asked", "field", "detail"),
    [
        (SMALL, wanted(size="256x256"), "size", "small makes 512x512, not 256x256"),
        (SMALL, wanted(size="512x512", format="webp"), "format", "small makes PNG, not WEBP"),
        (SMALL, wanted(size="512x512", num_images=3), "num_images", "small makes at most 2 images of one request"),
        (
            SMALL,
            wanted(size="512x512", input_image_url="https://a.example/b.png"),
            "input_image_url",
            "small starts from no image; leave input_image_url out",
        ),
        (VEO, wanted(VIDEO, size="1024x1024"), "size", "veo makes shapes of 16:9, 9:16, which 1024x1024 is not"),
        (VEO, wanted(VIDEO, duration_seconds=5.0), "duration_seconds", "veo makes films of 4 or 6 or 8 seconds, not 5"),
        (
            VEO,
            wanted(VIDEO, size="1920x1080"),
            "duration_seconds",
            "veo makes films of 8 seconds at 1920x1080, not 4",
        ),
        (VEO, wanted(VIDEO, fps=30), "fps", "veo makes 24 frames per second, not 30"),
    ],
)
def test_what_a_model_lacks_is_said_with_what_it_can(model: Model, asked: Wanted, field: str, detail: str) -> None:
    (fault,) = lacks(model, asked)
    assert (fault.field, fault.code, fault.detail) == (field, "model_cannot", detail)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (SMALL, wanted(size="512x512", num_images=2)),
        (VEO, wanted(VIDEO)),
        (VEO, wanted(VIDEO, size="854x480", duration_seconds=6.0)),
        (VEO, wanted(VIDEO, size="1080x1920", duration_seconds=8.0)),
    ],
)
def test_what_a_model_can_do_it_is_asked_for(model: Model, asked: Wanted) -> None:
    assert lacks(model, asked) == []


def test_who_names_no_model_gets_the_first_that_can_and_the_rest_stand_in() -> None:
    small = choose(wanted(size="512x512"), MODELS)
    assert (small.model.id, small.fallbacks) == ("small", ("wide", "procedural-1"))
    large = choose(wanted(size="1024x1024"), MODELS)
    assert (large.model.id, large.fallbacks) == ("wide", ("procedural-1",))
    assert choose(wanted(fallback=False), MODELS).fallbacks == ()


def test_who_names_a_model_gets_it_unless_somebody_allows_another() -> None:
    assert choose(wanted(model="wide"), MODELS).fallbacks == ()
    assert choose(wanted(model="wide", size="512x512", fallback=True), MODELS).fallbacks == ("small", "procedural-1")
    assert choose(wanted(model="small", size="512x512"), MODELS).fallbacks == ("wide",)
    assert choose(wanted(model="small", size="512x512", fallback=False), MODELS).fallbacks == ()


def test_a_model_that_cannot_names_those_that_can() -> None:
    with pytest.raises(ModelCannot) as refused:
        choose(wanted(model="small", size="1024x1024", format="AVIF"), MODELS)
    assert [fault.field for fault in refused.value.faults] == ["size", "format"]
    assert refused.value.others == ["procedural-1", "wide"]
    assert str(refused.value).endswith("; procedural-1 or wide can do this")


def test_what_no_default_can_do_is_refused_with_who_could() -> None:
    with pytest.raises(ModelCannot, match=r"veo makes shapes of .*; procedural-1 or instant can do this"):
        choose(wanted(VIDEO, size="1024x1024"), MODELS)


def test_whoever_hears_a_job_only_once_takes_over_from_nobody() -> None:
    away = Model("away", "external:away", ("image",), takes_over=False)
    models = Models({**MODELS.known, "away": away}, {"image": ("away", "small", "away", "wide")})
    small = choose(wanted(model="small", size="512x512", fallback=True), models)
    assert small.fallbacks == ("wide",)
    first = choose(wanted(size="512x512"), models)
    assert (first.model.id, first.fallbacks) == ("away", ("small", "wide"))
