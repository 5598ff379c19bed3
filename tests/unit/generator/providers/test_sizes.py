"""Pixels to what providers take."""

import pytest

from contracts.abilities import distance
from contracts.kinds import IMAGE, parse_size
from services.generator.providers.remote.gemini import RATIOS
from services.generator.providers.remote.sizes import multiples_of, nearest_ratio, nearest_size, tier


@pytest.mark.parametrize(
    ("size", "ratio", "name"),
    [
        ("256x256", "1:1", "1K"),
        ("1024x1024", "1:1", "1K"),
        ("1536x1024", "3:2", "1K"),
        ("1080x1920", "9:16", "2K"),
        ("2048x2048", "1:1", "2K"),
        ("4096x4096", "1:1", "4K"),
        ("9000x9000", "1:1", "4K"),
    ],
)
def test_a_size_has_a_ratio_and_a_tier(size: str, ratio: str, name: str) -> None:
    width, height = parse_size(size)
    assert (nearest_ratio(width, height, RATIOS), tier(width, height)) == (ratio, name)


@pytest.mark.parametrize("size", IMAGE.sizes)
def test_every_size_we_offer_is_near_a_ratio_of_gemini(size: str) -> None:
    width, height = parse_size(size)
    assert distance(width, height, nearest_ratio(width, height, RATIOS)) < 0.03


def test_sides_are_rounded_to_multiples() -> None:
    assert multiples_of(16, 1080, 1) == (1088, 16)


def test_the_nearest_size_is_that_of_the_nearest_proportion() -> None:
    assert nearest_size(1080, 1920, ("1024x1024", "1536x1024", "1024x1536")) == "1024x1536"
