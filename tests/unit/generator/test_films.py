"""Films: H.264 that plays while it loads, of the length it says, with a poster and real progress."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.generator.providers.procedural import pace, studio

WORK: dict[str, Any] = {
    "kind": "video",
    "prompt": "aurora",
    "seed": 1,
    "width": 256,
    "height": 144,
    "format": "MP4",
    "seconds": 1.0,
    "fps": 12,
}


def a_film(folder: Path, **other: Any) -> tuple[dict[str, Any], list[float]]:
    heard: list[float] = []
    (made,) = studio.render({**WORK, **other, "folder": str(folder)}, heard.append)["media"]
    return made, heard


def frames_of(made: dict[str, Any]) -> list[NDArray[np.uint8]]:
    with av.open(made["path"]) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean difference of two frames."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_a_film_has_the_length_rate_and_size_it_says(tmp_path: Path) -> None:
    made, _ = a_film(tmp_path)
    with av.open(made["path"]) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == made["fps"] == 12
        assert container.duration == pytest.approx(made["seconds"] * av.time_base, rel=0.01)
    frames = frames_of(made)
    assert len(frames) == 12
    assert (made["width"], made["height"]) == (256, 144)
    assert frames[0].shape == (144, 256, 3)


def test_its_index_comes_before_its_frames(tmp_path: Path) -> None:
    made, _ = a_film(tmp_path)
    content = Path(made["path"]).read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_it_moves_and_its_poster_is_one_of_its_frames(tmp_path: Path) -> None:
    made, _ = a_film(tmp_path)
    frames = frames_of(made)
    assert apart(frames[0], frames[9]) > 0.5
    with Image.open(made["poster"]) as poster:
        assert poster.format == "JPEG"
        assert apart(np.asarray(poster), frames[9]) < 6


def test_progress_is_made_between_frames_and_never_falls(tmp_path: Path) -> None:
    _, heard = a_film(tmp_path)
    assert heard == sorted(heard)
    assert len(heard) > 12
    assert heard[-1] == pytest.approx(1.0)


def test_odd_sizes_become_even(tmp_path: Path) -> None:
    made, _ = a_film(tmp_path, width=257, height=301, seconds=0.25)
    assert (made["width"], made["height"]) == (256, 300)
    assert frames_of(made)[0].shape == (300, 256, 3)


def test_the_same_order_gives_the_same_film(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert Path(a_film(one)[0]["path"]).read_bytes() == Path(a_film(other)[0]["path"]).read_bytes()


def test_an_input_image_becomes_a_film_too(tmp_path: Path) -> None:
    given = tmp_path / "given.png"
    Image.effect_noise((200, 150), 60).convert("RGB").save(given)
    made, _ = a_film(tmp_path, input_image=str(given), caption="Été")
    assert len(frames_of(made)) == 12


def test_dear_scenes_are_drawn_smaller() -> None:
    assert pace.film_scale("weave", None) == 1.0
    assert pace.SMALLEST <= pace.film_scale("flowers", "paper") < pace.film_scale("flowers", None) < 1.0
