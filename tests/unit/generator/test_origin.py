"""Files tell how they were made: the same pixels, nothing of their maker's taken away, and signed where that is set."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from contracts.events import JobRequested
from services.generator.pictures import sign
from services.generator.pictures.origin import Origin, has_manifest, with_origin, write_origin
from services.generator.providers.base import Medium
from services.generator.providers.instant import instant_mp4, instant_png
from services.generator.providers.remote.sniff import CONTENT_TYPES
from services.generator.render_pool import RenderPool
from services.generator.store.leases import Claim
from services.generator.usecases.tell_origin import SIGNER, Signing, TellOrigin, Told
from tests.support.certificates import write_chain

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORIGIN = Origin("Sorami 0.1.0", "job1", 2, "model<1>", NOON, "trainedAlgorithmicMedia")
EXIF = Image.Exif()
EXIF[0x0131] = "a camera"
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "png": ("PNG", "RGB", {}),
    "png, see-through": ("PNG", "RGBA", {}),
    "jpeg": ("JPEG", "RGB", {"progressive": True}),
    "jpeg with exif": ("JPEG", "RGB", {"exif": EXIF}),
    "webp": ("WEBP", "RGB", {}),
    "webp without loss": ("WEBP", "RGBA", {"lossless": True}),
    "webp, see-through": ("WEBP", "RGBA", {}),
    "avif": ("AVIF", "RGB", {}),
}


def picture(folder: Path, way: str) -> tuple[Path, str]:
    name, mode, options = WAYS[way]
    image = Image.effect_noise((65, 40), 80).convert("RGB").convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    path = folder / "medium"
    image.save(path, name, **options)
    return path, name


def film(folder: Path) -> tuple[Path, str]:
    path = folder / "medium"
    path.write_bytes(instant_mp4())
    return path, "MP4"


def seen(path: Path, media_format: str) -> list[bytes]:
    """What a viewer shows, pixel by pixel."""
    if media_format == "MP4":
        with av.open(str(path)) as container:
            return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]
    with Image.open(path) as image:
        return [image.convert("RGBA").tobytes()]


def xmp_of(path: Path, media_format: str) -> str:
    """The packet as readers of the format find it."""
    if media_format in ("MP4", "AVIF"):
        body = path.read_bytes()
        return body[body.index(bytes.fromhex("be7acfcb97a942e89c71999491e3afac")) + 16 :].decode()
    with Image.open(path) as image:
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
        return packet if isinstance(packet, str) else packet.decode()


@pytest.mark.parametrize("way", [*WAYS, "film"])
def test_a_file_tells_of_itself_and_shows_the_same_pixels(tmp_path: Path, way: str) -> None:
    path, media_format = film(tmp_path) if way == "film" else picture(tmp_path, way)
    told = tmp_path / "told"
    assert write_origin(path, media_format, ORIGIN, told)
    assert seen(told, media_format) == seen(path, media_format)
    packet = xmp_of(told, media_format)
    assert 'DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"' in packet
    assert 'identifier="job1/2"' in packet
    assert 'AISystemUsed="model&lt;1&gt;"' in packet
    assert "Prompt" not in packet
    # What tells already is left alone, byte for byte.
    assert not write_origin(told, media_format, ORIGIN, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_prompt_is_told_only_when_it_is_given_and_never_breaks_the_packet() -> None:
    body = with_origin(instant_png("x"), "PNG", replace(ORIGIN, prompt='a "cat" & <dog>\x00\x0b' + "é" * 20_000))
    assert body is not None
    text = body.decode("utf-8", "replace")
    assert "a &quot;cat&quot; &amp; &lt;dog&gt;é" in text or '\'a "cat" &amp; &lt;dog&gt;é' in text
    assert text.count("é") < 10_001


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), noise=st.binary(max_size=40), way=st.sampled_from(["png", "jpeg", "webp"]))
def test_no_bytes_make_it_fail(tmp_path: Path, cut: int, noise: bytes, way: str) -> None:
    path, media_format = picture(tmp_path, way)
    body = path.read_bytes()
    with_origin(body[:cut] + noise + body[cut + len(noise) :], media_format, ORIGIN)
    boxed = tmp_path / "boxed"
    boxed.write_bytes(instant_mp4()[:cut] + noise)
    write_origin(boxed, "MP4", ORIGIN, tmp_path / "told")
    has_manifest(boxed, "MP4")


def manifests(path: Path, content_type: str) -> tuple[str, list[dict[str, Any]]]:
    """Return what a C2PA reader says of a file: its verdict and the manifests, the newest first."""
    import c2pa

    context = c2pa.Context(settings=c2pa.Settings.from_dict(sign.CONTEXT))
    with path.open("rb") as file, c2pa.Reader(content_type, file, context=context) as reader:
        store = json.loads(reader.json())
        active = store["active_manifest"]
        rest = [one for name, one in store["manifests"].items() if name != active]
        return str(reader.get_validation_state()), [store["manifests"][active], *rest]


def signed(path: Path, media_format: str, chain: tuple[Path, Path], *, before: bool = False) -> Path:
    target = path.with_name(f"signed_{path.name}")
    work = {
        "path": str(path),
        "target": str(target),
        "content_type": CONTENT_TYPES[media_format],
        "certificates": str(chain[0]),
        "key": str(chain[1]),
        "software": "Sorami 0.1.0",
        "model": "m",
        "source_type": ORIGIN.source_type,
        "title": "job1/2",
        "signed_before": before,
    }
    sign.render(work, lambda _: None)
    return target


@pytest.mark.parametrize("way", ["png", "jpeg", "webp", "avif", "film"])
def test_a_signed_manifest_is_read_back_and_one_of_the_maker_becomes_its_parent(tmp_path: Path, way: str) -> None:
    chain = write_chain(tmp_path)
    path, media_format = film(tmp_path) if way == "film" else picture(tmp_path, way)
    content_type = CONTENT_TYPES[media_format]
    first = signed(path, media_format, chain)
    assert seen(first, media_format) == seen(path, media_format)
    verdict, (manifest,) = manifests(first, content_type)
    assert verdict == "Valid"
    (action,) = next(one for one in manifest["assertions"] if one["label"].startswith("c2pa.actions"))["data"][
        "actions"
    ]
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.created", ORIGIN.source_type)
    assert manifest["claim_generator_info"][0]["name"] == "Sorami"
    # As if a provider had signed it: nothing is added to it unsigned, and its own manifest stays under ours.
    assert has_manifest(first, media_format)
    assert not has_manifest(path, media_format)
    assert not write_origin(first, media_format, ORIGIN, tmp_path / "told")
    verdict, (ours, theirs) = manifests(signed(first, media_format, chain, before=True), content_type)
    assert verdict == "Valid"
    assert [one["relationship"] for one in ours["ingredients"]] == ["parentOf"]
    assert theirs["title"] == manifest["title"]


@pytest.fixture
async def signers() -> AsyncIterator[RenderPool]:
    pool = RenderPool(1, renderer=SIGNER, orders_per_child=1)
    yield pool
    await pool.close()


def claim(provider: str = "fal", **request: Any) -> Claim:
    asked = JobRequested(
        job_id="job1",
        kind="image",
        at=NOON,
        user_id="u",
        prompt="un chat",
        count=1,
        size="1x1",
        format="PNG",
        **request,
    )
    return Claim("job1", "image", "u", provider, "m", asked, None, 1, 1, NOON, False, False, None)


def medium(folder: Path) -> Medium:
    return Medium(1, "PNG", "image/png", 65, 40, path=picture(folder, "png")[0])


@pytest.mark.parametrize(
    ("told", "words"),
    [("off", None), ("origin", "identifier"), ("prompt", 'AIPromptInformation="un chat"')],
)
async def test_how_much_is_told_is_a_setting(tmp_path: Path, told: Told, words: str | None) -> None:
    given = medium(tmp_path)
    stored = await TellOrigin(told)(claim(), given)
    assert isinstance(stored, Path)
    if words is None:
        assert stored == given.path
    else:
        assert words in xmp_of(stored, "PNG")


@pytest.mark.parametrize(
    ("provider", "image", "source"),
    [
        ("procedural", None, "algorithmicMedia"),
        ("fal", None, "trainedAlgorithmicMedia"),
        ("fal", "https://example.com/a.png", "compositeWithTrainedAlgorithmicMedia"),
    ],
)
async def test_what_was_drawn_by_rule_is_not_said_to_come_from_a_trained_model(
    tmp_path: Path, provider: str, image: str | None, source: str
) -> None:
    stored = await TellOrigin()(claim(provider, input_image_url=image), medium(tmp_path))
    assert isinstance(stored, Path)
    assert f'/{source}"' in xmp_of(stored, "PNG")


async def test_small_media_in_memory_are_told_of_and_signed_alike(tmp_path: Path, signers: RenderPool) -> None:
    given = Medium(1, "PNG", "image/png", 64, 64, data=instant_png("x"))
    signing = Signing(signers, *write_chain(tmp_path))
    stored = await TellOrigin("origin", signing)(claim("instant"), given)
    assert isinstance(stored, bytes)
    path = tmp_path / "stored"
    path.write_bytes(stored)
    assert "identifier" in xmp_of(path, "PNG")
    assert manifests(path, "image/png")[0] == "Valid"


async def test_a_key_that_does_not_sign_costs_the_manifest_and_not_the_picture(
    tmp_path: Path, signers: RenderPool
) -> None:
    chain, key = write_chain(tmp_path)
    key.write_text("no key")
    stored = await TellOrigin("origin", Signing(signers, chain, key))(claim(), medium(tmp_path))
    assert isinstance(stored, Path)
    assert not has_manifest(stored, "PNG")
    assert "identifier" in xmp_of(stored, "PNG")
