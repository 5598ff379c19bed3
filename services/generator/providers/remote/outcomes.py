"""What an order came to: media counted, what is missing said, and zero media never a success."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.failures import Charged, FailureCode, Filtered
from services.generator.providers.base import Finished, MediaRef
from services.generator.providers.remote.failures import OUTPUT, failed, filtered


def metadata(model: str, **more: Any) -> dict[str, Any]:
    """The seeds' metadata block of a remote provider; what is None is left out."""
    return {"model_name": model, "version": "1.0", **{name: value for name, value in more.items() if value is not None}}


def finish(
    name: str,
    media: Sequence[MediaRef],
    *,
    asked: int,
    about: Mapping[str, Any],
    withheld: Sequence[str] = (),
    no_media_charged: Charged = "unknown",
    filter_charged: Charged = "unknown",
) -> Finished:
    """Conclude an answer that the provider calls a success.

    `withheld` has the reason of each medium a filter took away (as far as told). Raises ProviderFailed:
    content_filtered when all were taken away, no_media when there is nothing and no reason.
    """
    if not media:
        if withheld:
            message = f"{name} withheld all that it made"
            raise filtered(message, words="; ".join(withheld), charged=filter_charged, stage=OUTPUT, reasons=withheld)
        raise failed(FailureCode.NO_MEDIA, f"{name} finished without media", charged=no_media_charged, stage=OUTPUT)
    about = dict(about)
    if len(media) < asked:
        code = FailureCode.CONTENT_FILTERED if withheld else FailureCode.NO_MEDIA
        lost = {"code": code.value, "words": "; ".join(withheld) or None, "count": asked - len(media)}
        by_filter = Filtered.of("partial", withheld) if withheld else None
        about["partial"] = partial(asked, len(media), [with_filter(lost, by_filter)])
    return Finished(media[:asked], about)


def partial(asked: int, made: int, missing: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `metadata["partial"]` holds: how many were asked for, how many came, and why the others did not."""
    return {"asked": asked, "made": made, "missing": [dict(item) for item in missing]}


def with_filter(lost: Mapping[str, Any], by_filter: Filtered | None) -> dict[str, Any]:
    """What is missing, and which filter took it if one did."""
    if by_filter is None:
        return dict(lost)
    return {**lost, "filtered": by_filter.as_partial().model_dump(mode="json")}


def addresses(value: Any) -> list[str]:
    """Collect the addresses of media in an output of unknown shape: a string, `{url}`, or lists of them."""
    if isinstance(value, str):
        return [value] if value.startswith(("https://", "http://")) else []
    if isinstance(value, list):
        return [address for item in value for address in addresses(item)]
    if isinstance(value, dict):
        return addresses(value.get("url") or value.get("uri") or value.get("sample"))
    return []


def refs(kind: str, urls: Sequence[str]) -> list[MediaRef]:
    """Number addresses from 1."""
    return [MediaRef(index, kind, url=url) for index, url in enumerate(urls, 1)]


async def keep_base64(text: Any, path: Path, name: str) -> Path:
    """Write base64 into a file; raises ProviderFailed when it is none."""
    try:
        await asyncio.to_thread(lambda: path.write_bytes(base64.b64decode(text, validate=True)))
    except (binascii.Error, ValueError, TypeError):
        raise failed(
            FailureCode.PROVIDER_ERROR, f"{name} gave a medium that is not base64", charged="yes", retryable=False
        ) from None
    return path


async def as_base64(path: Path) -> str:
    """Return a file as base64."""
    return await asyncio.to_thread(lambda: base64.b64encode(path.read_bytes()).decode())


def image_type(path: Path) -> str:
    """Return the content type of an input image, which `read_input` named by its bytes."""
    return {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}.get(path.suffix, "image/png")


async def upload(path: Path) -> tuple[str, bytes, str]:
    """Return an input image as a part of a form: its name, bytes and content type."""
    return path.name, await asyncio.to_thread(path.read_bytes), image_type(path)


async def data_url(path: Path) -> str:
    """Return an input image as a data URL."""
    return f"data:{image_type(path)};base64,{await as_base64(path)}"
