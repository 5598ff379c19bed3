"""What is inside is what was locked, with hashes and known licences (S54, S55)."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from sorami.bill_of_materials import bill_of_materials, pinned

ROOT = Path(__file__).parents[2]
LOCKS = [
    *ROOT.glob("*.lock"),
    ROOT / "deploy" / "image" / "requirements.lock",
    ROOT / "deploy" / "image" / "build.lock",
    ROOT / "deploy" / "helm" / "requirements.lock",
    ROOT / "tests" / "node_tools" / "requirements.lock",
]
WHOLE = (ROOT / "requirements.lock").read_text("utf-8")
# Words of licences that would bind what is built upon a package; those named use a weak form, as libraries.
BINDING = ("AGPL", "Affero", "GPL", "SSPL", "Business Source", "Commons Clause")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_S54_every_package_is_locked_with_its_hashes(lock: Path) -> None:
    found = pinned(lock.read_text("utf-8"))
    assert found
    assert [name for name, versions in found.items() if not all(versions.values())] == []


def test_S54_what_runs_is_what_is_locked_and_every_install_wants_hashes() -> None:
    other = {}
    for name, versions in pinned(WHOLE).items():
        try:
            if version(name) not in versions:
                other[name] = version(name)
        except PackageNotFoundError:
            continue
    assert other == {}
    for file in (ROOT / "Makefile", ROOT / "deploy" / "image" / "Dockerfile"):
        for line in file.read_text("utf-8").splitlines() if file.exists() else ():
            if "pip sync" in line or ("pip install" in line and "-r " in line):
                assert "--require-hashes" in line, f"{file.name}: {line}"


def test_S55_the_bill_of_materials_lists_what_is_installed_with_its_licences() -> None:
    document = bill_of_materials(WHOLE)
    components = {one["name"]: one for one in document["components"]}
    assert {"faststream", "aiokafka", "asyncpg", "pydantic"} <= components.keys()
    assert len(components) > 60
    silent = [name for name, one in components.items() if not one["licenses"][0]["license"]["name"]]
    assert silent == []


def test_S55_no_licence_binds_what_is_built_upon_it() -> None:
    runs = pinned((ROOT / "deploy" / "image" / "requirements.lock").read_text("utf-8"))
    binding = {}
    for one in bill_of_materials(WHOLE)["components"]:
        licence = one["licenses"][0]["license"]["name"]
        weak = "Lesser" in licence or "LGPL" in licence or " OR " in licence
        if one["name"] in runs and not weak and any(word in licence for word in BINDING):
            binding[one["name"]] = licence
    assert binding == {}
