"""A child's renderer: a C2PA manifest into a medium, signed with the operator's certificate; nothing is fetched."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

CONTEXT: Final = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_EDWARDS: Final = "ed25519"
_CURVES: Final = {256: "es256", 384: "es384", 521: "es512"}


def render(work: dict[str, Any], report: Callable[[float], None]) -> dict[str, Any]:
    """Sign the file at `path` into `target`.

    A file whose maker signed it already keeps that manifest as the parent of ours; what is new is said to be created.
    """
    import c2pa

    info = c2pa.C2paSignerInfo(
        algorithm(Path(work["key"]).read_bytes()),
        Path(work["certificates"]).read_bytes(),
        Path(work["key"]).read_bytes(),
        work.get("timestamps"),
    )
    created = {
        "action": "c2pa.created",
        "digitalSourceType": work["source_type"],
        "softwareAgent": {"name": work["model"]},
    }
    name, _, version = work["software"].partition(" ")
    manifest = {
        "claim_generator_info": [{"name": name, "version": version}],
        "title": work["title"],
        "format": work["content_type"],
        "assertions": [] if work["signed_before"] else [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
    }
    context = c2pa.Context(settings=c2pa.Settings.from_dict(CONTEXT))
    builder = c2pa.Builder.from_json(json.dumps(manifest), context)
    if work["signed_before"]:
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
    with Path(work["path"]).open("rb") as source, Path(work["target"]).open("w+b") as target:
        builder.sign(c2pa.Signer.from_info(info), work["content_type"], source, target)
    return {"path": work["target"]}


def algorithm(key: bytes) -> str:
    """Return C2PA's name of what a private key (PEM) signs with; raises ValueError for a key it does not take."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    loaded = load_pem_private_key(key, None)
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return _EDWARDS
    if isinstance(loaded, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.curve.key_size in _CURVES:
        return _CURVES[loaded.curve.key_size]
    raise ValueError("the key must be of a curve (P-256, P-384, P-521), Ed25519 or RSA")
