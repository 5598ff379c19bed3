"""The procedural provider's half in the generator: orders to the render pool, files back; no numpy here."""

from pathlib import Path
from typing import Any, Final

from services.generator.providers.base import Medium, OnProgress, Order, ProviderFailed, Rendered, SmallerVersion
from services.generator.render_pool import RenderFailed, RenderPool

MODEL: Final = "procedural-1"
VERSION: Final = "1.0"
CONTENT_TYPES: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "MP4": "video/mp4",
}
FILM_SECONDS: Final = 4.0
FILM_FPS: Final = 24


class ProceduralProvider:
    """Draws pictures and films from the prompt alone, in the pool's children; the same order gives the same pixels."""

    name = "procedural"

    def __init__(self, pool: RenderPool) -> None:
        self._pool = pool

    async def render(self, order: Order, on_progress: OnProgress) -> Rendered:
        """Have a child draw the order into its folder."""
        work = _work(order)
        try:
            done = await self._pool.render(work, on_progress)
        except RenderFailed as failed:
            raise ProviderFailed(failed.failure) from failed
        on_progress(1.0)
        media = [_medium(made, work["format"]) for made in done["media"]]
        return Rendered(media, {"model_name": MODEL, "version": VERSION})

    async def close(self) -> None:
        """End the pool's children."""
        await self._pool.close()


def _work(order: Order) -> dict[str, Any]:
    """The order as plain data; a film without length or rate gets the usual ones."""
    film = order.kind == "video"
    format_name = "MP4" if film else order.format.upper().replace("JPG", "JPEG")
    return {
        "kind": order.kind,
        "prompt": order.prompt,
        "seed": order.seed or 0,
        "count": order.count,
        "width": order.width,
        "height": order.height,
        "format": format_name,
        "style": order.style,
        "quality": order.quality,
        "caption": order.caption,
        "input_image": str(order.input_image.resolve()) if order.input_image else None,
        "folder": str(order.workdir.resolve()),
        "seconds": (order.duration_seconds or FILM_SECONDS) if film else 0.0,
        "fps": (order.fps or FILM_FPS) if film else 0,
    }


def _medium(made: dict[str, Any], format_name: str) -> Medium:
    poster = made.get("poster")
    return Medium(
        index=made["index"],
        format=format_name,
        content_type=CONTENT_TYPES[format_name],
        width=made["width"],
        height=made["height"],
        path=Path(made["path"]),
        description=made["description"],
        duration_seconds=made.get("seconds"),
        fps=made.get("fps"),
        poster=Path(poster) if poster else None,
        smaller=[SmallerVersion(Path(one.pop("path")), **one) for one in made.get("thumbnails", ())],
        placeholder=made.get("placeholder"),
    )
