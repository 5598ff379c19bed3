"""Let a file tell how it was made: XMP by default, and a signed C2PA manifest where an operator has a certificate."""

import asyncio
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from services.generator.metrics import UNSIGNED
from services.generator.pictures.origin import Origin, has_manifest, with_origin, write_origin
from services.generator.providers.base import Medium
from services.generator.render_pool import RenderFailed, RenderPool
from services.generator.store.leases import Claim
from services.runtime.logs import get_logger

SIGNER: Final = "services.generator.pictures.sign"
SOFTWARE: Final = f"Sorami {version('sorami')}"
DRAWN: Final = frozenset({"procedural", "instant"})
"""Providers that draw by rule, without a model that was trained on others' pictures."""

Told = Literal["off", "origin", "prompt"]

_log = get_logger(part="origin")


@dataclass(frozen=True, slots=True)
class Signing:
    """What manifests are signed with: files in PEM, and the children that do it (they run SIGNER)."""

    signers: RenderPool
    certificates: Path
    key: Path
    timestamps: str | None = None


class TellOrigin:
    """Returns what is stored of a medium: the same pixels in a file that tells of itself."""

    def __init__(self, told: Told = "origin", signing: Signing | None = None) -> None:
        self._told = told
        self._signing = signing

    async def __call__(self, claim: Claim, medium: Medium) -> bytes | Path | None:
        """Return the bytes or the file to store; None when the medium has neither."""
        origin = self._origin(claim, medium)
        if medium.data is not None:
            told = with_origin(medium.data, medium.format, origin) if self._told != "off" else None
            body = told or medium.data
            return await self._signed_bytes(body, medium, origin) if self._signing else body
        if medium.path is None:
            return None
        return await self._of_file(medium.path, medium, origin)

    async def _of_file(self, path: Path, medium: Medium, origin: Origin) -> Path:
        if self._told != "off":
            target = path.with_name(f"told_{path.name}")
            if await asyncio.to_thread(write_origin, path, medium.format, origin, target):
                path = target
        return await self._signed(path, medium, origin) if self._signing else path

    async def _signed_bytes(self, body: bytes, medium: Medium, origin: Origin) -> bytes:
        with tempfile.TemporaryDirectory(prefix="sorami-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "medium"
            await asyncio.to_thread(path.write_bytes, body)
            signed = await self._signed(path, medium, origin)
            return await asyncio.to_thread(signed.read_bytes)

    async def _signed(self, path: Path, medium: Medium, origin: Origin) -> Path:
        signing = self._signing
        if signing is None:
            return path
        target = path.with_name(f"signed_{path.name}")
        work: dict[str, Any] = {
            "path": str(path),
            "target": str(target),
            "content_type": medium.content_type,
            "certificates": str(signing.certificates),
            "key": str(signing.key),
            "timestamps": signing.timestamps,
            "software": origin.software,
            "model": origin.model,
            "source_type": origin.source_type,
            "title": f"{origin.job_id}/{origin.index}",
            "signed_before": await asyncio.to_thread(has_manifest, path, medium.format),
        }
        try:
            await signing.signers.render(work, lambda _: None)
        except RenderFailed as error:
            # What was rendered, and maybe paid for, is worth more than its signature.
            UNSIGNED.inc()
            words = error.failure.provider_words or error.failure.message
            _log.error("a file could not be signed and is stored without a manifest", job_id=origin.job_id, why=words)
            return path
        return target

    def _origin(self, claim: Claim, medium: Medium) -> Origin:
        drawn, edited = claim.provider in DRAWN, claim.request.input_image_url is not None
        source = {
            (True, False): "algorithmicMedia",
            (True, True): "compositeSynthetic",
            (False, False): "trainedAlgorithmicMedia",
            (False, True): "compositeWithTrainedAlgorithmicMedia",
        }[drawn, edited]
        return Origin(
            software=SOFTWARE,
            job_id=claim.job_id,
            index=medium.index,
            model=claim.model,
            # The moment of asking: a repeated collection then makes the same bytes.
            asked_at=claim.created_at,
            source=source,
            prompt=claim.request.prompt if self._told == "prompt" else None,
        )
