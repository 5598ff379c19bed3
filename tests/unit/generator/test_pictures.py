"""Pictures: every scene in every hand, the same pixels for the same order, formats that decode."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.generator.providers.procedural import hands, images, studio
from services.generator.providers.procedural.brief import Brief
from services.generator.providers.procedural.lettering import writable
from services.generator.providers.procedural.palettes import PALETTES
from services.generator.providers.procedural.stage import Stage
from services.generator.providers.procedural.vocabulary import SCENES
from services.generator.render_protocol import Refused

SCENE_NAMES = sorted({subject.scene for subject in SCENES})
BRIEF = Brief("Montagnes au crépuscule", seed=3, index=1, width=160, height=128, format="PNG")


def pixels(brief: Brief) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(studio.picture(brief)[0])


@pytest.mark.parametrize("scene", SCENE_NAMES)
@pytest.mark.parametrize("seconds", [0.0, 1.0], ids=["still", "moving"])
def test_every_scene_draws_in_every_hand(scene: str, seconds: float) -> None:
    stage = Stage(112, 96, PALETTES["dusk"], f"a {scene}", frozenset(), seconds=seconds)
    frame = studio.compose(scene, stage)
    for moment in (0.0, 0.4) if seconds else (0.0,):
        canvas = frame(moment)
        assert canvas.shape == (3, 96, 112)
        assert np.isfinite(canvas).all()
        for name, hand in hands.HANDS.items():
            drawn = hand(replace(stage, hand=name))(canvas.copy(), moment)
            assert drawn.shape == canvas.shape
            assert np.isfinite(drawn).all(), name
            assert float(np.clip(drawn, 0, 1).std()) > 0.01, f"{name} draws nothing"


@pytest.mark.parametrize("scene", SCENE_NAMES)
@pytest.mark.parametrize("size", [(160, 48), (48, 160)])
def test_every_scene_fits_narrow_sheets(scene: str, size: tuple[int, int]) -> None:
    stage = Stage(*size, PALETTES["day"], "narrow", frozenset({"snow"}))
    assert studio.compose(scene, stage)(0.0).shape == (3, size[1], size[0])


def test_the_same_order_gives_the_same_pixels() -> None:
    assert np.array_equal(pixels(BRIEF), pixels(BRIEF))


@pytest.mark.parametrize(
    "other",
    [
        replace(BRIEF, prompt="La mer au crépuscule"),
        replace(BRIEF, seed=4),
        replace(BRIEF, index=2),
        replace(BRIEF, style="ink"),
        replace(BRIEF, quality="high"),
        replace(BRIEF, caption="Montagnes"),
    ],
    ids=["prompt", "seed", "index", "style", "quality", "caption"],
)
def test_another_order_looks_different(other: Brief) -> None:
    apart = np.abs(pixels(BRIEF).astype(int) - pixels(other).astype(int))
    assert apart.mean() > 1.0


@pytest.mark.parametrize(
    "style", ["illustration", "photorealistic", "digital-art", "aquarelle", "Manga", "nothing known", "", None]
)
def test_any_style_has_a_hand(style: str | None) -> None:
    assert hands.named(style) in hands.HANDS


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("size", [(256, 256), (256, 333)])
def test_formats_decode_to_their_size(tmp_path: Path, format_name: str, size: tuple[int, int]) -> None:
    work = {"kind": "image", "prompt": "agate", "seed": 0, "width": size[0], "height": size[1], "format": format_name}
    (made,) = studio.render({**work, "folder": str(tmp_path)}, lambda fraction: None)["media"]
    with Image.open(made["path"]) as image:
        image.load()
        assert (image.format, image.size, image.mode) == (format_name, size, "RGB")
    assert (made["width"], made["height"]) == size


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        images.save(Image.new("RGB", (8, 8)), tmp_path, "image", "TIFF")
    assert caught.value.code == "invalid_input"


def test_a_caption_is_set_at_the_foot_with_its_accents() -> None:
    plain, captioned = pixels(BRIEF), pixels(replace(BRIEF, caption="Été"))
    changed = np.abs(plain.astype(int) - captioned.astype(int)).sum(axis=2)
    assert changed[-40:].max() > 300
    assert changed[:30].max() == 0
    assert not np.array_equal(captioned, pixels(replace(BRIEF, caption="Ete")))


def test_what_cannot_be_written_becomes_space() -> None:
    assert writable("Œuvre — été 🎉 短い").split() == ["OEuvre", "-", "été"]


def test_a_caption_of_any_length_fits() -> None:
    for caption in ("🎉", " ", "x" * 500, "mot " * 300):
        assert pixels(replace(BRIEF, caption=caption)).shape == (128, 160, 3)


def an_input(path: Path, mode: str = "RGB") -> Path:
    """A bright disc on dark, off the middle."""
    y, x = np.mgrid[0:240, 0:320]
    disc = ((x - 110) ** 2 + (y - 90) ** 2 < 60**2)[..., None]
    Image.fromarray(np.where(disc, [250, 200, 60], [20, 40, 80]).astype(np.uint8)).convert(mode).save(path)
    return path


@pytest.mark.parametrize("name", ["input.png", "input.jpg", "input.webp"])
@pytest.mark.parametrize("style", [None, "watercolor"])
def test_an_input_image_stays_recognisable(tmp_path: Path, name: str, style: str | None) -> None:
    given = an_input(tmp_path / name)
    drawn = pixels(replace(BRIEF, input_image=str(given), style=style, width=320, height=240)).mean(axis=2)
    with Image.open(given) as image:
        source = np.asarray(image.convert("L"), float)
    # A watercolour leaves the edge of the sheet white.
    inside = (slice(20, -20), slice(20, -20))
    assert np.corrcoef(drawn[inside].ravel(), source[inside].ravel())[0, 1] > 0.8


def test_a_transparent_input_lies_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert pixels(replace(BRIEF, input_image=str(tmp_path / "clear.png"))).mean() > 180


@pytest.mark.parametrize(
    "content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_an_unreadable_input_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(Refused) as caught:
        studio.picture(replace(BRIEF, input_image=str(tmp_path / "bad")))
    assert caught.value.code == "invalid_input"


def test_an_input_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (9_000, 9_000)).save(tmp_path / "huge.png")
    with pytest.raises(Refused, match="million pixels"):
        studio.picture(replace(BRIEF, input_image=str(tmp_path / "huge.png")))
