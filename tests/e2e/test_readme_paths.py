"""The paths of the README, run as they are written against `sorami up`."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATHS = dict(re.findall(r"<!-- path: (\S+) -->\n```sh\n(.*?)```", README, re.DOTALL))


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """A stack in the background, as an operator starts it."""
    with tempfile.TemporaryDirectory(prefix="sorami-paths-") as folder:
        Path(folder).chmod(0o711)
        bin_folder = str(Path(sys.executable).parent)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SORAMI_")}
        env = kept | {
            "SORAMI_HOME": f"{folder}/home",
            "SORAMI_PORT": "19006",
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
        }
        subprocess.run(["sorami", "up"], env=env, cwd=ROOT, check=True, capture_output=True, timeout=180)
        try:
            yield env
        finally:
            subprocess.run(["sorami", "down"], env=env, cwd=ROOT, check=True, capture_output=True, timeout=60)


def run(script: str, env: dict[str, str]) -> str:
    # The README speaks of a clone's own environment; a test run may live in another.
    script = script.replace(".venv/bin/sorami", "sorami")
    done = subprocess.run(  # noqa: PLW1510
        ["bash", "-euo", "pipefail", "-c", script], env=env, cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_the_readme_has_its_paths() -> None:
    assert set(PATHS) == {"front-end", "uploads", "topics", "operator"}


def test_the_path_of_a_front_end_developer(environment: dict[str, str]) -> None:
    shown = run(PATHS["front-end"], environment)
    for percent in (25, 60, 90, 100):
        assert f'"progress":{percent},' in shown
    assert '"status":"COMPLETED"' in shown


def test_the_path_of_an_upload(environment: dict[str, str]) -> None:
    shown = run(
        'eval "$(sorami env)"\nsorami generate image "Sea" --watch >/dev/null\n' + PATHS["uploads"], environment
    )
    assert '"status":"PENDING"' in shown


def test_the_path_on_the_topics(environment: dict[str, str]) -> None:
    shown = run(PATHS["topics"], environment)
    assert "ce_type:io.sorami.job.requested.v1" in shown
    # Which moves are first depends on the partition they are in.
    assert '"progress":' in shown
    assert "job.updated.dlq" in shown


def test_the_path_of_an_operator(environment: dict[str, str]) -> None:
    shown = run(PATHS["operator"], environment)
    assert "After the crash" in shown
    assert "sorami_persistence" in shown
    assert "/media/" in shown


def test_the_seeds_own_sql_runs_by_psql(environment: dict[str, str]) -> None:
    script = """eval "$(sorami env)"
        sorami generate image "P12" --model instant --watch >/dev/null
        id=$(psql -d sorami -Atc 'SELECT id FROM image_generations ORDER BY "createdAt" DESC LIMIT 1;')
        psql -d sorami -c "SELECT * FROM image_files WHERE \\"generationId\\" = '$id';" """
    assert "image_1.png" in run(script, environment)
