"""What a provider calls a picture or a film is decoded whole and measured; what its header claims counts nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.generator.pictures import examine
from services.generator.providers.procedural import film
from services.generator.render_protocol import Refused

SIDES = (160, 90)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of two seconds that cannot be guessed from its neighbours' frames."""
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 255, (3, 90, 160), dtype=np.uint8) for _ in range(24)]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    film.write(path, frames, *SIDES, 12, fine=False)
    return path.read_bytes()


def examined(folder: Path, body: bytes, kind: str = "video") -> dict[str, object]:
    path = folder / "raw"
    path.write_bytes(body)
    work = {"path": str(path), "folder": str(folder), "kind": kind, "name": "seen"}
    return examine.render(work, lambda _: None)


def reason(folder: Path, body: bytes, kind: str = "video") -> str | None:
    with pytest.raises(Refused) as refused:
        examined(folder, body, kind)
    return refused.value.reason


def test_a_film_is_measured_by_its_frames(tmp_path: Path, whole: bytes) -> None:
    seen = examined(tmp_path, whole)
    assert (seen["seconds"], seen["fps"], seen["width"], seen["height"]) == (2.0, 12, *SIDES)
    with Image.open(str(seen["poster"])) as poster:
        assert poster.size == SIDES


def test_a_length_that_is_only_claimed_is_not_told(tmp_path: Path, whole: bytes) -> None:
    lying = bytearray(whole)
    place = whole.index(b"mvhd") + 4 + 12
    scale = int.from_bytes(whole[place : place + 4], "big")
    lying[place + 4 : place + 8] = (200 * scale).to_bytes(4, "big")
    assert examined(tmp_path, bytes(lying))["seconds"] == 2.0


@pytest.mark.parametrize("spoil", ["overwritten", "emptied", "missing frames"])
def test_a_film_with_damaged_frames_is_refused(tmp_path: Path, whole: bytes, spoil: str) -> None:
    data = whole.index(b"mdat")
    if spoil == "overwritten":
        noise = np.random.default_rng(2).integers(0, 255, 800, dtype=np.uint8).tobytes()
        body = whole[: data + 2_000] + noise + whole[data + 2_800 :]
    elif spoil == "emptied":
        body = whole[: data + 4_000] + bytes(40_000) + whole[data + 44_000 :]
    else:
        sizes = whole.index(b"stsz") + 4 + 4 + 4 + 4
        body = whole[: sizes + 4 * 12] + bytes(4 * 12) + whole[sizes + 4 * 24 :]
    assert reason(tmp_path, body) == "media_corrupt"


def test_a_picture_that_moves_is_no_picture(tmp_path: Path) -> None:
    frames = [Image.effect_noise((32, 32), strength).convert("RGB") for strength in (20, 90)]
    path = tmp_path / "moving.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert reason(tmp_path, path.read_bytes(), "image") == "media_animated"


def test_more_pixels_than_any_screen_are_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (8_000, 8_000)).save(path)
    assert reason(tmp_path, path.read_bytes(), "image") == "media_too_many_pixels"
    assert reason(tmp_path, path.read_bytes(), "preview") == "media_too_many_pixels"


@pytest.mark.parametrize(
    "playlist",
    [
        b"#EXTM3U\n#EXTINF:10,\nhttp://169.254.169.254/latest/meta-data\n",
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
    ids=["of the web", "of files", "concat"],
)
def test_a_playlist_that_is_called_a_film_is_not_followed(tmp_path: Path, playlist: bytes) -> None:
    assert reason(tmp_path, playlist) == "media_corrupt"
