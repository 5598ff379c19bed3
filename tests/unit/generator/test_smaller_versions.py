"""Smaller versions: never larger than the picture, in its shape, with a hash that says its colours."""

from pathlib import Path

import pytest
from PIL import Image

from services.generator.pictures.thumbhash import thumbhash
from services.generator.pictures.thumbnails import make
from tests.support.pictures import picture
from tests.unit.generator.thumbhash_reader import read_thumbhash


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        ((64, 64), []),
        ((320, 320), []),
        ((321, 200), [320]),
        ((1024, 1024), [320, 640]),
        ((1280, 720), [320, 640]),
        ((1920, 1080), [320, 640, 1280]),
    ],
)
def test_no_version_is_as_wide_as_the_picture(tmp_path: Path, size: tuple[int, int], widths: list[int]) -> None:
    made = make(picture(size), tmp_path, "image_1")
    assert [one["width"] for one in made["thumbnails"]] == widths
    for one in made["thumbnails"]:
        with Image.open(one["path"]) as small:
            assert small.format == "WEBP"
            assert small.size == (one["width"], one["height"])
            assert abs(small.width / small.height - size[0] / size[1]) < 0.01


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 128, 255), (12, 12, 12), (250, 240, 230)])
def test_a_hash_says_the_average_colour(colour: tuple[int, int, int]) -> None:
    hashed = read_thumbhash(thumbhash(Image.new("RGB", (300, 200), colour)))
    # The format keeps six bits of each.
    assert max(abs(one - other) for one, other in zip(hashed.average, colour, strict=True)) < 10
    assert (hashed.landscape, hashed.see_through) == (True, False)


@pytest.mark.parametrize(("size", "ratio"), [((1024, 1024), 1.0), ((1920, 1080), 7 / 4), ((1080, 1920), 4 / 7)])
def test_a_hash_says_the_shape(size: tuple[int, int], ratio: float) -> None:
    assert read_thumbhash(thumbhash(picture(size))).ratio == ratio


def test_a_hash_says_that_something_shows_through() -> None:
    image = Image.new("RGBA", (100, 50), (255, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 50, 50))
    hashed = read_thumbhash(thumbhash(image))
    assert hashed.see_through
    assert hashed.average[0] > 240


def test_a_hash_is_short() -> None:
    assert len(thumbhash(picture((1024, 1024)))) <= 44
