"""The instant provider: tiny, valid, deterministic, and quick."""

import io
import time
from pathlib import Path

import av
import pytest
from PIL import Image

from services.generator.providers.base import Order
from services.generator.providers.instant import InstantProvider, instant_png


def an_order(kind: str = "image", prompt: str = "un chat", count: int = 1) -> Order:
    return Order("job", kind, prompt, "instant", count, 1024, 1024, "WEBP", None, "standard", Path("/nowhere"))


async def test_a_picture_is_a_true_png_of_its_stated_size() -> None:
    rendered = await InstantProvider().render(an_order(count=2), lambda fraction: None)
    for medium in rendered.media:
        assert medium.data is not None
        assert len(medium.data) < 4_000
        with Image.open(io.BytesIO(medium.data)) as image:
            assert (image.format, image.size) == (medium.format, (medium.width, medium.height))
            image.load()
    assert [medium.index for medium in rendered.media] == [1, 2]
    assert rendered.metadata == {"model_name": "instant", "version": "1.0"}


def test_the_picture_follows_from_the_prompt_alone() -> None:
    assert instant_png("un chat") == instant_png("un chat")
    assert instant_png("un chat") != instant_png("un chien")


async def test_a_film_plays_for_as_long_as_it_says() -> None:
    (film,) = (await InstantProvider().render(an_order("video"), lambda fraction: None)).media
    assert film.data is not None
    assert film.fps is not None
    assert film.duration_seconds is not None
    with av.open(io.BytesIO(film.data), "r") as container:
        frames = list(container.decode(video=0))
    assert len(frames) == film.duration_seconds * film.fps
    assert (frames[0].width, frames[0].height) == (film.width, film.height)
    assert film.data.index(b"moov") < film.data.index(b"mdat")


async def test_progress_rises_to_one() -> None:
    heard: list[float] = []
    await InstantProvider().render(an_order(), heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)


async def test_it_takes_well_under_a_millisecond() -> None:
    provider = InstantProvider()
    await provider.render(an_order(), lambda fraction: None)
    quickest = min([await _seconds(provider, number) for number in range(50)])
    assert quickest < 0.001


async def _seconds(provider: InstantProvider, number: int) -> float:
    begun = time.perf_counter()
    await provider.render(an_order(prompt=f"a picture {number}"), lambda fraction: None)
    return time.perf_counter() - begun
