"""The vendored libraries are the files that were reviewed, with their licences, and name no foreign address."""

import hashlib
import json
import re
from pathlib import Path

import services.gateway

VENDOR = Path(services.gateway.__path__[0]) / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "vendor.json").read_text())
IMPORT = re.compile(r'(?:from|import)\s*"([^"]+)"')


def test_every_file_has_the_recorded_hash() -> None:
    recorded = {name: entry["sha256"] for name, entry in MANIFEST["files"].items()}
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in ("vendor.json", "README.md")
    }
    assert found == recorded


def test_every_package_has_its_licence_beside_it() -> None:
    for package in MANIFEST["packages"]:
        text = (VENDOR / package["licence_file"]).read_text()
        assert {"MIT": "MIT License", "Apache-2.0": "Apache License"}[package["licence"]] in text


def test_every_script_belongs_to_a_named_package() -> None:
    named = {package["name"] for package in MANIFEST["packages"]}
    assert {entry["package"] for name, entry in MANIFEST["files"].items() if name.endswith(".js")} == named


def test_imports_lead_to_files_beside_them() -> None:
    for script in VENDOR.glob("*.js"):
        for target in IMPORT.findall(script.read_text()):
            assert target.startswith("./"), f"{script.name} imports {target}"
            assert (VENDOR / target).is_file()
        assert "sourceMappingURL" not in script.read_text()
