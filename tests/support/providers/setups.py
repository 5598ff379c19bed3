"""Every adapter beside its fake."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contracts.provider_settings import TemplatedModel
from services.generator.providers.base import Order
from services.generator.providers.remote import (
    bfl,
    comfyui,
    fal,
    flask_backend,
    gemini,
    openai_images,
    replicate,
    veo,
)
from services.generator.providers.remote.http_provider import HttpProvider
from tests.support.providers.bfl import FakeBfl
from tests.support.providers.comfyui import FakeComfyUI, FakeOldComfyUI
from tests.support.providers.fake import KEY, FakeProvider
from tests.support.providers.fal import FakeFal
from tests.support.providers.flask import FakeFlask
from tests.support.providers.google import FakeGemini, FakeVeo
from tests.support.providers.openai import FakeLocalAI, FakeOpenAI
from tests.support.providers.replicate import FakeReplicate

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": "{{seed}}", "latent_image": ["5", 0]}},
    "5": {
        "class_type": "EmptyLatentImage",
        "inputs": {"width": "{{width}}", "height": "{{height}}", "batch_size": "{{count}}"},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{prompt}}"}},
    "7": {"class_type": "LoadImage", "inputs": {"image": "{{input_image}}"}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "sorami/{{job_id}}"}},
}


@dataclass(frozen=True)
class Setup:
    """How an adapter is built for a fake at an address, and a model it renders."""

    fake: Callable[[], FakeProvider]
    build: Callable[[str, Path], HttpProvider]
    model: str
    kind: str = "image"


def _comfyui(url: str, folder: Path) -> HttpProvider:
    workflows = folder / "workflows"
    workflows.mkdir(exist_ok=True)
    (workflows / "flux.json").write_text(json.dumps(GRAPH))
    return comfyui.build(url, workflows, {"X-Proxy-Key": KEY})


def _bfl(url: str, _: Path) -> HttpProvider:
    provider = bfl.build(KEY, f"{url}/v1", ["flux-2-pro"])
    provider.grace_seconds = 0
    return provider


_FLUX = {"flux": TemplatedModel(id="fal-ai/flux/dev")}
_FLUX_OF_REPLICATE = {"flux": TemplatedModel(id="black-forest-labs/flux-dev")}

SETUPS = {
    "gemini": Setup(
        FakeGemini,
        lambda url, _: gemini.build(KEY, f"{url}/v1beta", ["gemini-3.1-flash-image"]),
        "gemini-3.1-flash-image",
    ),
    "veo": Setup(FakeVeo, lambda url, _: veo.build(KEY, f"{url}/v1beta", ["veo-3.1"]), "veo-3.1", "video"),
    "openai": Setup(
        FakeOpenAI,
        lambda url, _: openai_images.build(KEY, f"{url}/v1", ["gpt-image-2"], idempotent=False),
        "gpt-image-2",
    ),
    "openai with a key for repeats": Setup(
        FakeOpenAI,
        lambda url, _: openai_images.build(KEY, f"{url}/v1", ["gpt-image-2"], idempotent=True),
        "gpt-image-2",
    ),
    "localai": Setup(FakeLocalAI, lambda url, _: openai_images.build(KEY, f"{url}/v1", ["sd"], idempotent=False), "sd"),
    "comfyui": Setup(FakeComfyUI, _comfyui, "flux"),
    "comfyui before 0.26": Setup(FakeOldComfyUI, _comfyui, "flux"),
    "fal": Setup(FakeFal, lambda url, _: fal.build(KEY, url, _FLUX), "flux"),
    "replicate": Setup(
        FakeReplicate, lambda url, _: replicate.build(KEY, f"{url}/v1", _FLUX_OF_REPLICATE, wait_seconds=0), "flux"
    ),
    "bfl": Setup(FakeBfl, _bfl, "flux-2-pro"),
    "flask": Setup(FakeFlask, lambda url, _: flask_backend.build(url, KEY), flask_backend.MODEL),
}


def order_for(setup: Setup, folder: Path, **more: object) -> Order:
    """An order that the setup's adapter can fulfil; `folder` becomes its workdir."""
    film = setup.kind == "video"
    usual: dict[str, object] = {
        "job_id": "cm4abc123def456ghi789jklm",
        "kind": setup.kind,
        "prompt": "Un chat mignon avec des lunettes de soleil",
        "model": setup.model,
        "count": 1,
        "width": 1280 if film else 1024,
        "height": 720 if film else 1024,
        "format": "MP4" if film else "PNG",
        "style": None,
        "quality": "standard",
        "workdir": folder,
        "duration_seconds": 4.0 if film else None,
        "fps": 24 if film else None,
    }
    return Order(**(usual | more))  # type: ignore[arg-type]
