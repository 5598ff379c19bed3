"""What is inside: every package that runs, with version, hashes and licence, as a CycloneDX document."""

import json
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "requirements.lock"
_PIN = re.compile(r"^(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.IGNORECASE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pinned(lock: str) -> dict[str, dict[str, list[str]]]:
    """Return the versions of every package of a lock file, one a platform, with the SHA-256 of their files."""
    found: dict[str, dict[str, list[str]]] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        if match := _PIN.match(block):
            found.setdefault(match["name"].lower(), {})[match["version"]] = _HASH.findall(block)
    return found


def licence_of(name: str) -> str:
    """Return how an installed package says it is licensed; an empty text when it does not."""
    told = metadata(name).json
    lines = [str(line) for line in told.get("classifier", ())]
    classifiers = [line.rpartition(" :: ")[2] for line in lines if line.startswith("License")]
    short = str(told.get("license", "")).strip().splitlines()
    return str(told.get("license_expression", "")) or ", ".join(classifiers) or (short[0] if short else "")


def bill_of_materials(lock: str) -> dict[str, Any]:
    """Return the document of what a lock file names and is installed here."""
    components = []
    for name, versions in sorted(pinned(lock).items()):
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue  # for another system than this one
        components.append(
            {
                "type": "library",
                "name": name,
                "version": installed,
                "purl": f"pkg:pypi/{name}@{installed}",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in versions.get(installed, ())],
                "licenses": [{"license": {"name": licence_of(name)}}],
            }
        )
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}


def main() -> int:
    """Print the document."""
    json.dump(bill_of_materials(LOCK.read_text("utf-8")), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
