"""The procedural provider end to end: an order through a real child, files back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from contracts.failures import FailureCode
from services.generator.providers.base import Order, Provider, ProviderFailed
from services.generator.providers.procedural.provider import ProceduralProvider
from services.generator.render_pool import RenderPool


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def provider() -> AsyncIterator[Provider]:
    provider = ProceduralProvider(RenderPool(1))
    yield provider
    await provider.close()


def an_order(workdir: Path, kind: str = "image", **other: object) -> Order:
    given: dict[str, object] = {
        "job_id": "job",
        "kind": kind,
        "prompt": "Un chat mignon avec des lunettes de soleil",
        "model": "procedural-1",
        "count": 1,
        "width": 256,
        "height": 256,
        "format": "PNG" if kind == "image" else "MP4",
        "style": "illustration",
        "quality": "standard",
        "workdir": workdir,
    }
    return Order(**{**given, **other})  # type: ignore[arg-type]


async def test_pictures_come_as_files_in_the_orders_folder(provider: Provider, tmp_path: Path) -> None:
    heard: list[float] = []
    rendered = await provider.render(an_order(tmp_path, count=3, format="webp"), heard.append)
    assert [medium.index for medium in rendered.media] == [1, 2, 3]
    for medium in rendered.media:
        assert medium.path is not None
        assert medium.path.parent == tmp_path
        assert (medium.format, medium.content_type) == ("WEBP", "image/webp")
        with Image.open(medium.path) as image:
            assert (image.format, image.size) == ("WEBP", (medium.width, medium.height))
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)
    assert rendered.metadata == {"model_name": "procedural-1", "version": "1.0"}


async def test_a_film_comes_with_its_poster(provider: Provider, tmp_path: Path) -> None:
    order = an_order(tmp_path, "video", duration_seconds=0.5, fps=8)
    (film,) = (await provider.render(order, lambda fraction: None)).media
    assert (film.format, film.content_type, film.fps, film.duration_seconds) == ("MP4", "video/mp4", 8, 0.5)
    assert film.path is not None
    assert film.poster is not None
    assert film.poster.stat().st_size > 1_000


async def test_a_bad_input_image_is_refused_without_charge(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"no image")
    with pytest.raises(ProviderFailed) as caught:
        await provider.render(an_order(tmp_path, input_image=tmp_path / "input"), lambda fraction: None)
    failure = caught.value.failure
    assert (failure.code, failure.retryable, failure.charged) == (FailureCode.INVALID_INPUT, False, "no")
