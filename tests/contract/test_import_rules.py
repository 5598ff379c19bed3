"""The import rules can fail: each is broken on purpose in a copy, and the linter sees it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BREAKS = {
    "a service imports another": ("services/gateway/app.py", "import services.persistence.store"),
    "the runtime imports a service": ("services/runtime/outbox.py", "import services.notifier.store"),
    "a fifth service nobody declared": ("services/billing/__init__.py", '"""New."""'),
    "the runtime knows jobs": ("services/runtime/relay.py", "import contracts.events"),
    "contracts do input and output": ("contracts/media.py", "import httpx"),
    "contracts import a service": ("contracts/media.py", "import services.runtime.logs"),
    "the wire knows tables": ("contracts/events.py", "import contracts.tables"),
    "a store calls a use case": ("services/generator/store/tasks.py", "import services.generator.usecases.accept_jobs"),
    "a use case calls a route": ("services/gateway/usecases/welcome_person.py", "import services.gateway.api.shapes"),
    "a new kind of file": ("services/notifier/helpers.py", '"""A drawer."""'),
    "a use case knows the framework": ("services/gateway/usecases/welcome_person.py", "import fastapi"),
    "a store knows the broker": ("services/persistence/store/moves.py", "import aiokafka"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    for name in ("contracts", "services", "sorami"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "static", "*.mp4"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(  # noqa: PLW1510
        command, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(folder)}, timeout=60
    )


def test_the_copy_keeps_every_rule(copy: Path) -> None:
    assert lint(copy).returncode == 0


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_rule_is_seen(copy: Path, name: str) -> None:
    path, line = BREAKS[name]
    file = copy / path
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    file.write_text((before or "") + f"\n{line}\n", encoding="utf-8")
    try:
        result = lint(copy)
    finally:
        if before is None:
            file.unlink()
            if file.name == "__init__.py":
                file.parent.rmdir()
        else:
            file.write_text(before, encoding="utf-8")
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout or "exhaustive" in result.stdout.lower()
